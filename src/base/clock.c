// SPDX-License-Identifier: Apache-2.0
/** Clocks.  The calendar is computed here: gmtime_r() would read time zone files. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000U
#define S_PER_DAY 86400U
#define DAYS_PER_ERA 146097U      /**< 400 years of the Gregorian calendar. */
#define DAYS_BEFORE_EPOCH 719468U /**< From 0000-03-01 to 1970-01-01. */

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts = {0};

	(void)clock_gettime(id, &ts); // cannot fail for the two clocks below
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_real_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

void clock_print(uint64_t real_ns, char ret[static CLOCK_TEXT_SIZE])
{
	uint64_t s = real_ns / NS_PER_S;
	uint64_t us = real_ns % NS_PER_S / 1000;
	uint64_t in_day = s % S_PER_DAY;

	// Years start in March here, so that a leap day is the last day of its year.
	uint64_t days = s / S_PER_DAY + DAYS_BEFORE_EPOCH;
	uint64_t era = days / DAYS_PER_ERA;
	uint64_t in_era = days % DAYS_PER_ERA;
	uint64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	uint64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * in_year + 2) / 153; // 0 is March
	uint64_t day = in_year - (153 * month + 2) / 5 + 1;

	year += era * 400 + (month >= 10 ? 1 : 0);
	month = month >= 10 ? month - 9 : month + 3;
	// The remainders change nothing; they show the compiler that every field fits.
	(void)snprintf(ret, CLOCK_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
		       (unsigned)(year % 10000), (unsigned)(month % 100), (unsigned)(day % 100),
		       (unsigned)(in_day / 3600), (unsigned)(in_day / 60 % 60),
		       (unsigned)(in_day % 60), (unsigned)us);
}
