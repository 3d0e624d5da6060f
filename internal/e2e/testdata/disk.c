/* Two bad disks, preloaded into gated. As long as the file that
 * MENSHEN_TEST_SLOW_DISK names exists, no flush ends; with
 * MENSHEN_TEST_LYING_DISK set, no flush does anything. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int flush(const char *how, int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, how);
	const char *slow = getenv("MENSHEN_TEST_SLOW_DISK");

	if (getenv("MENSHEN_TEST_LYING_DISK"))
		return 0;
	while (slow && access(slow, F_OK) == 0)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	return real(fd);
}

int fdatasync(int fd) { return flush("fdatasync", fd); }
int fsync(int fd) { return flush("fsync", fd); }
