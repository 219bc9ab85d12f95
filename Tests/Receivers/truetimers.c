// Loaded before libfaketime, which is to make the wall clock of a program wrong and nothing else. Its 0.9.10 moves CLOCK_BOOTTIME and the
// deadlines of timerfd as well, whatever FAKETIME_DONT_FAKE_MONOTONIC says; the timers of Swift's run time would then fire hours late or
// never. Here both go straight to the kernel, as on a box whose clock battery is dead: wrong time of day, true seconds.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t which, struct timespec *out) {
  if (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE) return (int)syscall(SYS_clock_gettime, which, out);
  static int (*next)(clockid_t, struct timespec *);
  if (!next) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  return next(which, out);
}

int timerfd_settime(int file, int flags, const struct itimerspec *wanted, struct itimerspec *before) {
  return (int)syscall(SYS_timerfd_settime, file, flags, wanted, before);
}
