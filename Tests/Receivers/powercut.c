// Writes down what a program writes to some files, so that a test can cut the power: what was not synced may be lost, in part, in any order.
// Loaded with LD_PRELOAD. POWER_CUT_FILES: what the files' paths begin with. POWER_CUT_NOTES: where to note, by appending.
// POWER_CUT_LIES: syncs say yes and do nothing, as some cards do.
//
// A note: kind (w: write, t: truncate, s: synced), then path length, offset, length of old bytes, length of the file before, each eight bytes;
// then path and old bytes.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int path_of(int file, char *path, size_t most) {
  const char *begin = getenv("POWER_CUT_FILES");
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = begin ? readlink(link, path, most - 1) : -1;
  if (length <= 0) return 0;
  path[length] = 0;
  // Shared memory is lost with the power as a whole.
  return strncmp(path, begin, strlen(begin)) == 0 && !strstr(path, "-shm");
}

static void note(char kind, const char *path, int file, int64_t from, int64_t length) {
  static int notes = -1;
  if (notes < 0) {
    const char *name = getenv("POWER_CUT_NOTES");
    notes = name ? open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  }
  struct stat now;
  if (notes < 0 || fstat(file, &now) != 0) return;
  int64_t old = from < now.st_size ? now.st_size - from : 0;
  if (old > length) old = length;
  size_t head = 1 + 4 * sizeof(int64_t), named = strlen(path);
  char *all = malloc(head + named + (size_t)old);
  if (!all) abort();
  int reader = old > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  ssize_t got = reader < 0 ? 0 : pread(reader, all + head + named, (size_t)old, from);
  if (reader >= 0) close(reader);
  int64_t numbers[4] = {(int64_t)named, from, got > 0 ? got : 0, now.st_size};
  all[0] = kind;
  memcpy(all + 1, numbers, sizeof numbers);
  memcpy(all + head, path, named);
  size_t size = head + named + (size_t)numbers[2];
  if (write(notes, all, size) != (ssize_t)size) abort();
  free(all);
}

#define REAL(name, type) \
  static type *real; \
  if (!real) real = (type *)dlsym(RTLD_NEXT, name)

typedef ssize_t writes(int, const void *, size_t, off64_t);
typedef int truncates(int, off64_t);
typedef int syncs(int);

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t from) {
  REAL("pwrite64", writes);
  char path[4096];
  if (!path_of(file, path, sizeof path)) return real(file, bytes, length, from);
  pthread_mutex_lock(&lock);
  note('w', path, file, from, (int64_t)length);
  ssize_t done = real(file, bytes, length, from);
  int why = errno;
  pthread_mutex_unlock(&lock);
  errno = why;
  return done;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t from) { return pwrite64(file, bytes, length, from); }

int ftruncate64(int file, off64_t length) {
  REAL("ftruncate64", truncates);
  char path[4096];
  if (!path_of(file, path, sizeof path)) return real(file, length);
  pthread_mutex_lock(&lock);
  note('t', path, file, length, INT64_MAX);
  int done = real(file, length);
  int why = errno;
  pthread_mutex_unlock(&lock);
  errno = why;
  return done;
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

static int synced(int file, syncs *real) {
  char path[4096];
  if (!path_of(file, path, sizeof path)) return real(file);
  if (getenv("POWER_CUT_LIES")) return 0;
  pthread_mutex_lock(&lock);
  int done = real(file);
  int why = errno;
  if (done == 0) note('s', path, file, 0, 0);
  pthread_mutex_unlock(&lock);
  errno = why;
  return done;
}

int fsync(int file) {
  REAL("fsync", syncs);
  return synced(file, real);
}

int fdatasync(int file) {
  REAL("fdatasync", syncs);
  return synced(file, real);
}
