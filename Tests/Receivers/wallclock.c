// Makes the wall clock of one program wrong, and lets a test step it while the program runs. Loaded with LD_PRELOAD. The file named by
// WALL_CLOCK holds the distance from the true time in milliseconds, as eight bytes. All other clocks stay true, as on a box whose
// clock battery is dead. (libfaketime 0.9.10 keeps the timers of Swift's run time from ever firing.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *distance(void) {
  static volatile int64_t *place;
  if (!place) {
    const char *path = getenv("WALL_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = file < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, file, 0);
    static int64_t none;
    place = map == MAP_FAILED ? &none : map;
    if (file >= 0) close(file);
  }
  return place;
}

int clock_gettime(clockid_t which, struct timespec *out) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int code = real(which, out);
  if (code == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
    int64_t nanoseconds = ((int64_t)out->tv_sec * 1000 + *distance()) * 1000000 + out->tv_nsec;
    out->tv_sec = nanoseconds / 1000000000;
    out->tv_nsec = nanoseconds % 1000000000;
  }
  return code;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
