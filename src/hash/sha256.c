// SPDX-License-Identifier: Apache-2.0
/** SHA-256 by OpenSSL's EVP interface, which fails only when memory is out. */
#include "hash/sha256.h"

#include "base/error.h"

#include <errno.h>
#include <openssl/evp.h>

int sha256_init(struct sha256 *hash, struct error *err)
{
	sha256_done(hash);
	hash->ctx = EVP_MD_CTX_new();
	if (!hash->ctx || EVP_DigestInit_ex(hash->ctx, EVP_sha256(), NULL) != 1) {
		sha256_done(hash);
		return error_set(err, ENOMEM, "cannot start a SHA-256 hash");
	}
	return 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t len)
{
	if (!hash->ctx || EVP_DigestUpdate(hash->ctx, data, len) != 1)
		hash->failed = true;
}

int sha256_finish(struct sha256 *hash, uint8_t ret[static SHA256_SIZE], struct error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	bool good = hash->ctx && !hash->failed && EVP_DigestFinal_ex(hash->ctx, digest, NULL) == 1;

	sha256_done(hash);
	if (!good)
		return error_set(err, ENOMEM, "cannot finish a SHA-256 hash");
	memcpy(ret, digest, SHA256_SIZE);
	return 0;
}

void sha256_done(struct sha256 *hash)
{
	EVP_MD_CTX_free(hash->ctx);
	*hash = (struct sha256){0};
}

void sha256_print(const uint8_t hash[static SHA256_SIZE], char ret[static SHA256_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_SIZE; i++) {
		ret[2 * i] = digits[hash[i] >> 4];
		ret[2 * i + 1] = digits[hash[i] & 15];
	}
	ret[SHA256_HEX_SIZE - 1] = '\0';
}

int sha256_hex(const void *data, size_t len, char ret[static SHA256_HEX_SIZE])
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	sha256_print(digest, ret);
	return 0;
}
