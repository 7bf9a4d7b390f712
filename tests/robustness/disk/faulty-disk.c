/*
 * A disk that fails when it is told to, for a process that is started with this library in LD_PRELOAD. Everything the process does to
 * files below FLOTILLA_DISK_ROOT is written to the journal FLOTILLA_DISK_JOURNAL before it is done, so that what a loss of power would
 * have left can be worked out afterwards. FLOTILLA_DISK_CONTROL is a page of 32-bit numbers that the test writes: which faults there are.
 *
 * A record is: type u8, zero u8, length of the path u16, length of the data u32, offset u64, path, data. At most one record, the last,
 * stands for something that was not done: when the process was killed between the two.
 *
 * Nothing is really flushed: what a kill leaves is in the page cache anyway, and what a loss of power leaves comes from the journal.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum record { CREATE = 1, WRITE, TRUNCATE, SYNC, SYNC_FAILED, UNLINK, SYNC_FOLDER };

/* Places in the control page. */
enum control { SLOW_MICROS, FAIL_SYNCS, FAIL_WRITES, FULL, ROOM, SHORT_OF_256, RANDOM, SYNCS, WRITES, FAULTS };

#define MAX_FDS 4096
#define MAX_PATH 256

enum kind { OTHER, DATA, INDEX, FOLDER };
struct file {
  enum kind kind;
  ino64_t inode;
  char name[MAX_PATH];
};

static struct file files[MAX_FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile uint32_t *control;
static const char *root;
static size_t root_length;
static int journal = -1;

static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_remove)(const char *);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_statfs)(const char *, struct statfs64 *);

__attribute__((constructor)) static void begin(void) {
  real_open = dlsym(RTLD_NEXT, "open64");
  real_close = dlsym(RTLD_NEXT, "close");
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  real_remove = dlsym(RTLD_NEXT, "remove");
  real_unlinkat = dlsym(RTLD_NEXT, "unlinkat");
  real_statfs = dlsym(RTLD_NEXT, "statfs64");
  const char *folder = getenv("FLOTILLA_DISK_ROOT");
  const char *journal_path = getenv("FLOTILLA_DISK_JOURNAL");
  const char *control_path = getenv("FLOTILLA_DISK_CONTROL");
  if (!folder || !journal_path || !control_path) return;
  int page = real_open(control_path, O_RDWR | O_CLOEXEC);
  if (page < 0) return;
  void *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
  real_close(page);
  if (mapped == MAP_FAILED) return;
  journal = real_open(journal_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (journal < 0) return;
  control = mapped;
  root_length = strlen(folder);
  root = folder;
}

/* The name below the root, or NULL. */
static const char *name_of(const char *path) {
  if (!root || !path || strncmp(path, root, root_length) != 0) return NULL;
  if (path[root_length] == '\0') return path + root_length;
  if (path[root_length] != '/' || strlen(path + root_length) >= MAX_PATH) return NULL;
  return path + root_length + 1;
}

/* The index of the write-ahead log is made anew when the database is opened after a crash. */
static int is_index(const char *name) {
  size_t length = strlen(name);
  return length > 4 && strcmp(name + length - 4, "-shm") == 0;
}

/* Not every close goes through here (libuv makes the system call itself), so that a descriptor may have become something else. */
static struct file *file_of(int fd) {
  struct stat64 facts;
  if (!control || fd < 0 || fd >= MAX_FDS || files[fd].kind == OTHER) return NULL;
  if (fstat64(fd, &facts) == 0 && facts.st_ino == files[fd].inode && !S_ISFIFO(facts.st_mode) && !S_ISSOCK(facts.st_mode)) return &files[fd];
  files[fd].kind = OTHER;
  return NULL;
}

static void record(enum record type, const char *name, uint64_t offset, const void *data, uint32_t length) {
  uint8_t head[16] = {type, 0};
  uint16_t name_length = (uint16_t)strlen(name);
  memcpy(head + 2, &name_length, 2);
  memcpy(head + 4, &length, 4);
  memcpy(head + 8, &offset, 8);
  struct iovec parts[3] = {{head, sizeof head}, {(void *)name, name_length}, {(void *)data, length}};
  ssize_t whole = (ssize_t)(sizeof head + name_length + length);
  if (writev(journal, parts, 3) != whole) abort();
}

static uint32_t next_random(void) {
  uint32_t x = control[RANDOM] ? control[RANDOM] : 1;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return control[RANDOM] = x;
}

static int fails(enum control which) {
  if (control[which] == 0) return 0;
  control[which]--;
  control[FAULTS]++;
  return 1;
}

/* How many of `length` bytes have room; on a disk that is not full, all. */
static size_t room_for(int fd, uint64_t offset, size_t length) {
  struct stat64 facts;
  if (!control[FULL] || fstat64(fd, &facts) != 0) return length;
  uint64_t end = offset + length, size = (uint64_t)facts.st_size;
  if (end <= size) return length;
  uint64_t growth = end - size;
  if (growth <= control[ROOM]) {
    control[ROOM] -= (uint32_t)growth;
    return length;
  }
  control[FAULTS]++;
  return offset < size && next_random() % 2 ? (size_t)(size - offset) : 0;
}

static ssize_t write_at(int fd, struct file *file, const void *data, size_t length, uint64_t offset, int positioned) {
  control[WRITES]++;
  size_t part = room_for(fd, offset, length);
  if (part == 0 && length > 0) return errno = ENOSPC, -1;
  if (file->kind == DATA) {
    if (fails(FAIL_WRITES)) return errno = EIO, -1;
    if (part > 1 && control[SHORT_OF_256] && next_random() % 256 < control[SHORT_OF_256]) {
      part = 1 + next_random() % (part - 1);
      control[FAULTS]++;
    }
    record(WRITE, file->name, offset, data, (uint32_t)part);
  }
  return positioned ? real_pwrite(fd, data, part, (off64_t)offset) : real_write(fd, data, part);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  struct file *file = file_of(fd);
  if (!file) return real_pwrite(fd, data, length, offset);
  pthread_mutex_lock(&lock);
  ssize_t written = write_at(fd, file, data, length, (uint64_t)offset, 1);
  pthread_mutex_unlock(&lock);
  return written;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
  struct file *file = file_of(fd);
  if (!file) return real_write(fd, data, length);
  pthread_mutex_lock(&lock);
  ssize_t written = write_at(fd, file, data, length, (uint64_t)lseek64(fd, 0, SEEK_CUR), 0);
  pthread_mutex_unlock(&lock);
  return written;
}

static void give_back(int fd, uint64_t size) {
  struct stat64 facts;
  if (control[FULL] && fstat64(fd, &facts) == 0 && (uint64_t)facts.st_size > size) control[ROOM] += (uint32_t)(facts.st_size - size);
}

int ftruncate64(int fd, off64_t size) {
  struct file *file = file_of(fd);
  if (!file) return real_ftruncate(fd, size);
  pthread_mutex_lock(&lock);
  give_back(fd, (uint64_t)size);
  if (file->kind == DATA) record(TRUNCATE, file->name, (uint64_t)size, NULL, 0);
  int result = real_ftruncate(fd, size);
  pthread_mutex_unlock(&lock);
  return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int flush(int fd, int (*real)(int)) {
  struct file *file = file_of(fd);
  if (!file) return real(fd);
  uint32_t slow = control[SLOW_MICROS];
  if (slow) usleep(slow);
  pthread_mutex_lock(&lock);
  control[SYNCS]++;
  int failed = file->kind == DATA && fails(FAIL_SYNCS);
  record(file->kind == FOLDER ? SYNC_FOLDER : failed ? SYNC_FAILED : SYNC, file->name, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return failed ? (errno = EIO, -1) : 0;
}

int fsync(int fd) { return flush(fd, real_fsync); }
int fdatasync(int fd) { return flush(fd, real_fdatasync); }

static int open_with(const char *path, int flags, mode_t mode) {
  const char *name = control ? name_of(path) : NULL;
  if (!name) return real_open(path, flags, mode);
  struct stat64 facts;
  pthread_mutex_lock(&lock);
  int there = stat64(path, &facts) == 0;
  int folder = there && S_ISDIR(facts.st_mode);
  enum kind kind = folder ? FOLDER : is_index(name) ? INDEX : DATA;
  if (kind == DATA && !there && (flags & O_CREAT)) record(CREATE, name, 0, NULL, 0);
  if (kind == DATA && there && (flags & O_TRUNC)) record(TRUNCATE, name, 0, NULL, 0);
  int fd = real_open(path, flags, mode);
  if (fd >= 0 && fd < MAX_FDS && fstat64(fd, &facts) == 0) {
    files[fd].kind = kind;
    files[fd].inode = facts.st_ino;
    strcpy(files[fd].name, name);
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_with(path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_with(path, flags, mode);
}

int close(int fd) {
  if (file_of(fd)) files[fd].kind = OTHER;
  return real_close(fd);
}

/* Before a file is removed; null if it is none of ours. */
static const char *removal_of(const char *path) {
  const char *name = control ? name_of(path) : NULL;
  struct stat64 facts;
  if (!name || is_index(name) || stat64(path, &facts) != 0 || !S_ISREG(facts.st_mode)) return NULL;
  pthread_mutex_lock(&lock);
  if (control[FULL]) control[ROOM] += (uint32_t)facts.st_size;
  record(UNLINK, name, 0, NULL, 0);
  return name;
}

static int removed(const char *name, int result) {
  if (name) pthread_mutex_unlock(&lock);
  return result;
}

int unlink(const char *path) {
  const char *name = removal_of(path);
  return removed(name, real_unlink(path));
}

int remove(const char *path) {
  const char *name = removal_of(path);
  return removed(name, real_remove(path));
}

int unlinkat(int folder, const char *path, int flags) {
  const char *name = removal_of(path);
  return removed(name, real_unlinkat(folder, path, flags));
}

int statfs64(const char *path, struct statfs64 *facts) {
  int result = real_statfs(path, facts);
  if (result == 0 && control && control[FULL] && name_of(path)) facts->f_bavail = facts->f_bfree = control[ROOM] / facts->f_bsize;
  return result;
}
