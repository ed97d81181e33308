// SPDX-License-Identifier: Apache-2.0
/** SHA-1 by OpenSSL's EVP interface. */
#include "hash/sha1.h"

#include <openssl/evp.h>
#include <string.h>

bool sha1_sum(const void *data, size_t len, uint8_t ret[static SHA1_SIZE])
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (EVP_Digest(data, len, digest, NULL, EVP_sha1(), NULL) != 1)
		return false;
	memcpy(ret, digest, SHA1_SIZE);
	return true;
}
