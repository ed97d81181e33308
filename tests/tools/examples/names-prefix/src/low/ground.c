// SPDX-License-Identifier: Apache-2.0
int soil_depth(void);

int soil_depth(void)
{
	return 1;
}
