/*
 * Power-loss recorder: an LD_PRELOAD library that writes down, in one order, what a process does to the
 * files below one directory and what it hands to its TCP sockets. `record.rs` reads the record,
 * `replay.rs` builds from it the directories that a power cut could have left.
 *
 * Environment (read once, at load; LD_PRELOAD is then removed, so children are not recorded):
 *   POWER_RECORD_DIR              the directory that is watched, with everything below it
 *   POWER_RECORD_FILE             the record; appended to; must lie outside the directory
 *   POWER_FAIL_SYNC_AFTER=n       the n-th and every later fsync/fdatasync below the directory fails: EIO
 *   POWER_FAIL_WRITE_AFTER_BYTES=n  after n bytes written below the directory every write fails: ENOSPC
 *   POWER_SYNC_DELAY_US=n         each sync below the directory takes n microseconds longer: a slow disk
 *
 * Which side of the real call a record stands on, and why:
 *   file change   AFTER it, with `order` held across both: two changes stand in the order of their effects,
 *                 and a change that stands before a sync's beginning had happened when that sync began.
 *   fsync         TWICE: a beginning BEFORE the call and an end AFTER it succeeded. `order` is NOT held
 *                 during the call, else a socket write that does not wait for the sync would be made to
 *                 wait by us, and the very fault this library exists to show would be hidden. What stands
 *                 before the beginning is durable from the end on; the rest is promised nothing.
 *   socket write  BEFORE it, so that bytes never leave earlier than the record says; and again AFTER it
 *                 with the number of bytes taken. The call runs without `order`, since it may block.
 * So an answer stands behind the end of a sync only if that sync had returned before the answer was sent.
 *
 * How a process ends: a SIGKILL from outside may hit between a change and its record, or inside the record,
 * and the record would then tell less than the directory. So who wants to kill sends SIGUSR2: a thread of the
 * recorder takes `order` and kills the process while nobody else stands in between. An exit takes it too.
 *
 * How it stays safe: it calls the kernel directly instead of looking up the replaced functions, allocates
 * nothing, and keeps no table of descriptors: each call asks the kernel what its descriptor is. Hence dup,
 * fcntl, inherited and unusual descriptors need no care, and a signal handler that writes to a pipe or a
 * local socket never meets the lock.
 *
 * Not seen: raw system calls (rustix' default backend), stdio's own writes, mappings. A change made that way
 * shows as a difference between the full replay and the directory; a shared writable mapping, a link and
 * their like are recorded as "unsupported", and the reader refuses the record. `sync`, `syncfs` and
 * `sync_file_range` are counted as nothing, which is the harsher reading. SQLite's `-shm` is left out: it is
 * volatile by nature and rebuilt on recovery.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if !defined(__linux__) || !defined(__LP64__)
#error "the recorder calls the Linux kernel directly and is written for its 64-bit interface"
#endif

/* ---- the record ------------------------------------------------------------------------------------ */

/* All numbers in the machine's byte order, which the reader shares. `path` is relative to the directory. */
struct head {
    uint32_t magic;
    uint32_t kind;
    uint32_t path_bytes;
    uint32_t data_bytes;
    uint64_t a, b, c;
};

#define MAGIC 0x31525743u /* "CWR1" */

enum kind {
    BEGIN = 1,       /* a = process id                                                            */
    CREATE = 2,      /* path, a = inode, b = 1 for a directory                                    */
    WRITE = 3,       /* path, a = inode, b = offset, data                                         */
    TRUNCATE = 4,    /* path, a = inode, b = new size, smaller or larger                          */
    SYNC_BEGIN = 5,  /* path, a = inode, b = number of this sync, c = 1 for a directory           */
    SYNC_END = 6,    /* a = inode, b = number of the sync, c = 0 or the error                     */
    RENAME = 7,      /* path = from, data = to, a = inode                                         */
    UNLINK = 8,      /* path, a = inode, b = 1 for a directory                                    */
    SEND_BEGIN = 9,  /* a = number of this send, b = socket's inode, c = ports local << 16 | peer, data */
    SEND_END = 10,   /* a = number of the send, b = bytes taken, or minus the error               */
    UNSUPPORTED = 11,/* path, data = name of the call                                             */
    FAULT = 12       /* path, b = the error that was injected                                     */
};

/* Held while a record is written, and across every call that changes a file. Never across a call that may
 * wait for the disk or for a peer. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static int active;
static int record_fd = -1;
static char root[PATH_MAX];
static size_t root_bytes;
static uint64_t last_number;
static long long fail_sync_after = -1, syncs_seen;
static long long fail_write_after = -1, bytes_seen;
static long long sync_delay_us = -1;

static void die(const char *what)
{
    static const char say[] = "power-loss recorder: ";
    syscall(SYS_write, 2, say, sizeof say - 1);
    syscall(SYS_write, 2, what, strlen(what));
    syscall(SYS_write, 2, "\n", 1);
    abort();
}

/* Appends all parts; one system call unless the kernel takes less. */
static void append(struct iovec *parts, int count)
{
    while (count > 0) {
        ssize_t taken = syscall(SYS_writev, record_fd, parts, count);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0)
            die("the record cannot be written");
        while (count > 0 && (size_t)taken >= parts->iov_len) {
            taken -= (ssize_t)parts->iov_len;
            parts++, count--;
        }
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + taken;
            parts->iov_len -= (size_t)taken;
        }
    }
}

/* Writes one record with the first `bytes` bytes of `data`. The caller holds `order`. */
static void emit(enum kind kind, const char *path, const struct iovec *data, int data_count, size_t bytes,
                 uint64_t a, uint64_t b, uint64_t c)
{
    struct head head = { MAGIC, kind, (uint32_t)strlen(path), (uint32_t)bytes, a, b, c };
    struct iovec parts[18] = { { &head, sizeof head }, { (void *)path, head.path_bytes } };
    int count = 2;
    if (bytes > UINT32_MAX)
        die("a write of 4 GiB or more");
    for (int i = 0; i < data_count && bytes > 0; i++) {
        size_t take = data[i].iov_len < bytes ? data[i].iov_len : bytes;
        if (count == 18) {
            append(parts, count);
            count = 0;
        }
        parts[count++] = (struct iovec){ data[i].iov_base, take };
        bytes -= take;
    }
    append(parts, count);
}

static void emit_text(enum kind kind, const char *path, const char *text, uint64_t a)
{
    struct iovec data = { (void *)text, strlen(text) };
    emit(kind, path, &data, 1, data.iov_len, a, 0, 0);
}

static void lock(void) { pthread_mutex_lock(&order); }
static void unlock(void) { pthread_mutex_unlock(&order); }

static long long number_from(const char *name)
{
    const char *text = getenv(name);
    char *end;
    if (!text || !*text)
        return -1;
    long long value = strtoll(text, &end, 10);
    if (*end || value < 0)
        die("a fault setting is not a number");
    return value;
}

static void *await_kill(void *signals)
{
    int signal;
    while (sigwait(signals, &signal) != 0)
        ;
    lock();
    syscall(SYS_kill, getpid(), SIGKILL);
    return NULL;
}

/* Runs before any other thread exists, so that all inherit the mask and only the recorder's takes the signal. */
static void start_killer(void)
{
    static sigset_t signals;
    pthread_t thread;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR2);
    if (pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0 || pthread_create(&thread, NULL, await_kill, &signals) != 0)
        die("the thread that waits for the kill cannot be started");
    pthread_detach(thread);
}

/* For ever: the process ends, and its other threads with it, wherever they stand. */
__attribute__((destructor)) static void stop(void)
{
    if (active)
        lock();
}

__attribute__((constructor)) static void start(void)
{
    const char *directory = getenv("POWER_RECORD_DIR");
    const char *file = getenv("POWER_RECORD_FILE");
    if (!directory || !file)
        return;
    if (!realpath(directory, root))
        die("POWER_RECORD_DIR does not exist");
    root_bytes = strlen(root);
    record_fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (record_fd < 0)
        die("POWER_RECORD_FILE cannot be opened");
    fail_sync_after = number_from("POWER_FAIL_SYNC_AFTER");
    fail_write_after = number_from("POWER_FAIL_WRITE_AFTER_BYTES");
    sync_delay_us = number_from("POWER_SYNC_DELAY_US");
    unsetenv("LD_PRELOAD");
    /* A fork while another thread holds the lock would leave it locked for ever in the child. */
    pthread_atfork(lock, unlock, unlock);
    /* Processes that append to one record, one after the other, must not number their calls alike. */
    last_number = (uint64_t)getpid() << 32;
    emit(BEGIN, "", NULL, 0, 0, (uint64_t)getpid(), 0, 0);
    start_killer();
    active = 1;
}

/* ---- what a descriptor or a path is ---------------------------------------------------------------- */

enum place { ELSEWHERE, FILE_BELOW, DIRECTORY_BELOW, TCP_SOCKET };

/* 1 if `absolute` is the directory or lies below it; then `relative` (PATH_MAX) is the rest. */
static int below_root(const char *absolute, char *relative)
{
    size_t bytes = strlen(absolute);
    if (strncmp(absolute, root, root_bytes) != 0 || (absolute[root_bytes] && absolute[root_bytes] != '/'))
        return 0;
    if (bytes >= 4 && strcmp(absolute + bytes - 4, "-shm") == 0)
        return 0;
    strcpy(relative, absolute + root_bytes + (absolute[root_bytes] == '/'));
    return 1;
}

static int path_of(int fd, char *absolute)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t bytes = readlink(link, absolute, PATH_MAX - 1);
    if (bytes < 0)
        return 0;
    absolute[bytes] = 0;
    return 1;
}

static enum place place_of(int fd, struct stat *status, char *relative)
{
    if (!active)
        return ELSEWHERE;
    int saved = errno;
    enum place place = ELSEWHERE;
    char absolute[PATH_MAX];
    if (fd < 0 || fstat(fd, status) != 0) {
        /* The real call will say what is wrong. */
    } else if (S_ISSOCK(status->st_mode)) {
        int domain = 0, type = 0;
        socklen_t size = sizeof domain;
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
        size = sizeof type;
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
        if ((domain == AF_INET || domain == AF_INET6) && type == SOCK_STREAM)
            place = TCP_SOCKET;
    } else if ((S_ISREG(status->st_mode) || S_ISDIR(status->st_mode)) && path_of(fd, absolute)) {
        /* A removed file is still written to, and its name says so. */
        char *deleted = status->st_nlink == 0 ? strstr(absolute, " (deleted)") : NULL;
        if (deleted)
            *deleted = 0;
        if (below_root(absolute, relative))
            place = S_ISDIR(status->st_mode) ? DIRECTORY_BELOW : FILE_BELOW;
    }
    errno = saved;
    return place;
}

/* The same for a name that need not exist: the parent is looked up, symbolic links and all. */
static int name_below(int directory, const char *path, char *relative)
{
    char parent[PATH_MAX], absolute[PATH_MAX + NAME_MAX + 2];
    size_t bytes = strlen(path);
    if (!active || bytes == 0 || bytes >= PATH_MAX)
        return 0;
    int saved = errno, found = 0;
    memcpy(parent, path, bytes + 1);
    while (bytes > 1 && parent[bytes - 1] == '/')
        parent[--bytes] = 0;
    char *slash = strrchr(parent, '/');
    const char *base = slash ? path + (slash - parent) + 1 : path;
    size_t base_bytes = bytes - (size_t)(base - path);
    if (!slash)
        strcpy(parent, ".");
    else
        slash[slash == parent] = 0;
    int fd = (int)syscall(SYS_openat, directory, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd >= 0) {
        if (base_bytes <= NAME_MAX && path_of(fd, absolute)) {
            size_t end = strlen(absolute);
            absolute[end] = '/';
            memcpy(absolute + end + 1, base, base_bytes);
            absolute[end + 1 + base_bytes] = 0;
            found = strlen(absolute) < PATH_MAX && below_root(absolute, relative);
        }
        syscall(SYS_close, fd);
    }
    errno = saved;
    return found;
}

/* ---- opening and creating -------------------------------------------------------------------------- */

static int open_at(int directory, const char *path, int flags, mode_t mode)
{
    if (!active || !(flags & (O_CREAT | O_TRUNC | __O_TMPFILE)))
        return (int)syscall(SYS_openat, directory, path, flags, mode);
    struct stat before, after;
    char relative[PATH_MAX];
    lock();
    int existed = fstatat(directory, path, &before, 0) == 0;
    int fd = (int)syscall(SYS_openat, directory, path, flags, mode);
    int saved = errno;
    if (fd >= 0 && place_of(fd, &after, relative) == FILE_BELOW) {
        if ((flags & O_TMPFILE) == O_TMPFILE)
            emit_text(UNSUPPORTED, relative, "open with O_TMPFILE", after.st_ino);
        else if (!existed)
            emit(CREATE, relative, NULL, 0, 0, after.st_ino, 0, 0);
        else if ((flags & O_TRUNC) && before.st_size > 0)
            emit(TRUNCATE, relative, NULL, 0, 0, after.st_ino, 0, 0);
    }
    unlock();
    errno = saved;
    return fd;
}

#define MODE_ARGUMENT(flags)                                  \
    mode_t mode = 0;                                          \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                  \
        va_list rest;                                         \
        va_start(rest, flags);                                \
        mode = va_arg(rest, mode_t);                          \
        va_end(rest);                                         \
    }

int open(const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_at(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
/* What hardened builds (_FORTIFY_SOURCE) call instead. */
int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __openat_2(int at, const char *path, int flags) { return open_at(at, path, flags, 0); }
int __openat64_2(int at, const char *path, int flags) { return open_at(at, path, flags, 0); }

int mkdirat(int directory, const char *path, mode_t mode)
{
    char relative[PATH_MAX];
    struct stat status;
    if (!name_below(directory, path, relative))
        return (int)syscall(SYS_mkdirat, directory, path, mode);
    lock();
    int result = (int)syscall(SYS_mkdirat, directory, path, mode);
    int saved = errno;
    if (result == 0 && fstatat(directory, path, &status, 0) == 0)
        emit(CREATE, relative, NULL, 0, 0, status.st_ino, 1, 0);
    unlock();
    errno = saved;
    return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* ---- names ----------------------------------------------------------------------------------------- */

int unlinkat(int directory, const char *path, int flags)
{
    char relative[PATH_MAX];
    struct stat status = { 0 };
    if (!name_below(directory, path, relative))
        return (int)syscall(SYS_unlinkat, directory, path, flags);
    lock();
    fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW);
    int result = (int)syscall(SYS_unlinkat, directory, path, flags);
    int saved = errno;
    if (result == 0)
        emit(UNLINK, relative, NULL, 0, 0, status.st_ino, (flags & AT_REMOVEDIR) != 0, 0);
    unlock();
    errno = saved;
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int remove(const char *path)
{
    int result = unlink(path);
    return result != 0 && errno == EISDIR ? rmdir(path) : result;
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    char source[PATH_MAX], target[PATH_MAX];
    struct stat status = { 0 };
    int leaves = name_below(from_at, from, source), arrives = name_below(to_at, to, target);
    if (!leaves && !arrives)
        return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    lock();
    fstatat(from_at, from, &status, AT_SYMLINK_NOFOLLOW);
    int result = (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    int saved = errno;
    if (result == 0) {
        if (!leaves || (flags & RENAME_EXCHANGE) || S_ISDIR(status.st_mode))
            emit_text(UNSUPPORTED, arrives ? target : source, "rename from outside, of a directory or by exchange",
                      status.st_ino);
        else if (arrives)
            emit_text(RENAME, source, target, status.st_ino);
        else
            emit(UNLINK, source, NULL, 0, 0, status.st_ino, 0, 0);
    }
    unlock();
    errno = saved;
    return result;
}

int renameat(int from_at, const char *from, int to_at, const char *to) { return renameat2(from_at, from, to_at, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

static int refused_name(long result, int directory, const char *path, const char *call)
{
    char relative[PATH_MAX];
    if (result == 0 && name_below(directory, path, relative)) {
        lock();
        emit_text(UNSUPPORTED, relative, call, 0);
        unlock();
    }
    return (int)result;
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    return refused_name(syscall(SYS_linkat, from_at, from, to_at, to, flags), to_at, to, "link");
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int symlinkat(const char *content, int at, const char *path)
{
    return refused_name(syscall(SYS_symlinkat, content, at, path), at, path, "symlink");
}
int symlink(const char *content, const char *path) { return symlinkat(content, AT_FDCWD, path); }

/* ---- contents -------------------------------------------------------------------------------------- */

static size_t bytes_in(const struct iovec *parts, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += parts[i].iov_len;
    return bytes;
}

/* How many of `bytes` the imagined disk still takes. The caller holds `order`. */
static size_t room_for(size_t bytes)
{
    if (fail_write_after < 0)
        return bytes;
    long long left = fail_write_after - bytes_seen;
    return left <= 0 ? 0 : (unsigned long long)left < bytes ? (size_t)left : bytes;
}

/* `offset` < 0 means: where the descriptor stands. */
static ssize_t write_file(int fd, const struct iovec *parts, int count, off_t offset, struct stat *status,
                          const char *relative)
{
    lock();
    size_t wanted = bytes_in(parts, count), room = room_for(wanted);
    struct iovec shorter;
    if (room < wanted) {
        emit(FAULT, relative, NULL, 0, 0, status->st_ino, ENOSPC, 0);
        while (parts->iov_len == 0)
            parts++;
        shorter = *parts;
        if (shorter.iov_len > room)
            shorter.iov_len = room;
        parts = &shorter;
        count = 1;
    }
    ssize_t taken = -1;
    int saved = ENOSPC;
    if (room > 0 || wanted == 0) {
        taken = offset < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, offset, 0L);
        saved = errno;
    }
    if (taken > 0) {
        bytes_seen += taken;
        if (offset < 0)
            offset = lseek(fd, 0, SEEK_CUR) - taken;
        else if ((fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, status) == 0)
            offset = status->st_size - taken; /* Linux appends even when an offset is given. */
        emit(WRITE, relative, parts, count, (size_t)taken, status->st_ino, (uint64_t)offset, 0);
    }
    unlock();
    errno = saved;
    return taken;
}

static uint64_t send_begins(int fd, const struct stat *status, const struct iovec *parts, int count)
{
    struct sockaddr_in6 address = { 0 };
    int saved = errno;
    uint64_t ports = 0;
    socklen_t size = sizeof address;
    /* The port stands at the same place in both address families. */
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        ports = (uint64_t)ntohs(address.sin6_port) << 16;
    size = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &size) == 0)
        ports |= ntohs(address.sin6_port);
    lock();
    uint64_t number = ++last_number;
    emit(SEND_BEGIN, "", parts, count, bytes_in(parts, count), number, status->st_ino, ports);
    unlock();
    errno = saved;
    return number;
}

static ssize_t send_ended(uint64_t number, ssize_t taken)
{
    int saved = errno;
    lock();
    emit(SEND_END, "", NULL, 0, 0, number, (uint64_t)(int64_t)(taken < 0 ? -saved : taken), 0);
    unlock();
    errno = saved;
    return taken;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    struct stat status;
    char relative[PATH_MAX];
    enum place place = place_of(fd, &status, relative);
    if (place == FILE_BELOW && count > 0)
        return write_file(fd, parts, count, -1, &status, relative);
    if (place != TCP_SOCKET)
        return syscall(SYS_writev, fd, parts, count);
    uint64_t number = send_begins(fd, &status, parts, count);
    return send_ended(number, syscall(SYS_writev, fd, parts, count));
}

ssize_t write(int fd, const void *data, size_t bytes)
{
    struct iovec part = { (void *)data, bytes };
    return active ? writev(fd, &part, 1) : syscall(SYS_write, fd, data, bytes);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    struct stat status;
    char relative[PATH_MAX];
    if (place_of(fd, &status, relative) == FILE_BELOW && count > 0 && offset >= 0)
        return write_file(fd, parts, count, offset, &status, relative);
    return syscall(SYS_pwritev, fd, parts, count, offset, 0L);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) { return pwritev(fd, parts, count, offset); }

ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    (void)flags; /* Only hints and RWF_DSYNC, which is ignored like O_DSYNC: the harsher reading. */
    return offset == -1 ? writev(fd, parts, count) : pwritev(fd, parts, count, offset);
}

ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
{
    return pwritev2(fd, parts, count, offset, flags);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
    struct iovec part = { (void *)data, bytes };
    return pwritev(fd, &part, 1, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset) { return pwrite(fd, data, bytes, offset); }

ssize_t sendto(int fd, const void *data, size_t bytes, int flags, const struct sockaddr *to, socklen_t to_bytes)
{
    struct stat status;
    char relative[PATH_MAX];
    struct iovec part = { (void *)data, bytes };
    if (place_of(fd, &status, relative) != TCP_SOCKET)
        return syscall(SYS_sendto, fd, data, bytes, flags, to, to_bytes);
    uint64_t number = send_begins(fd, &status, &part, 1);
    return send_ended(number, syscall(SYS_sendto, fd, data, bytes, flags, to, to_bytes));
}

ssize_t send(int fd, const void *data, size_t bytes, int flags) { return sendto(fd, data, bytes, flags, NULL, 0); }

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct stat status;
    char relative[PATH_MAX];
    if (place_of(fd, &status, relative) != TCP_SOCKET)
        return syscall(SYS_sendmsg, fd, message, flags);
    uint64_t number = send_begins(fd, &status, message->msg_iov, (int)message->msg_iovlen);
    return send_ended(number, syscall(SYS_sendmsg, fd, message, flags));
}

int ftruncate(int fd, off_t bytes)
{
    struct stat status;
    char relative[PATH_MAX];
    if (place_of(fd, &status, relative) != FILE_BELOW)
        return (int)syscall(SYS_ftruncate, fd, bytes);
    lock();
    int result = (int)syscall(SYS_ftruncate, fd, bytes);
    int saved = errno;
    if (result == 0)
        emit(TRUNCATE, relative, NULL, 0, 0, status.st_ino, (uint64_t)bytes, 0);
    unlock();
    errno = saved;
    return result;
}

int ftruncate64(int fd, off64_t bytes) { return ftruncate(fd, bytes); }

int truncate(const char *path, off_t bytes)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int result = ftruncate(fd, bytes), saved = errno;
    syscall(SYS_close, fd);
    errno = saved;
    return result;
}

int truncate64(const char *path, off64_t bytes) { return truncate(path, bytes); }

int fallocate(int fd, int mode, off_t offset, off_t bytes)
{
    struct stat status;
    char relative[PATH_MAX];
    if (place_of(fd, &status, relative) != FILE_BELOW)
        return (int)syscall(SYS_fallocate, fd, mode, offset, bytes);
    lock();
    int result = -1, saved = ENOSPC;
    if (room_for(1) == 0) {
        emit(FAULT, relative, NULL, 0, 0, status.st_ino, ENOSPC, 0);
    } else {
        fstat(fd, &status);
        result = (int)syscall(SYS_fallocate, fd, mode, offset, bytes);
        saved = errno;
        if (result == 0 && mode != 0 && mode != FALLOC_FL_KEEP_SIZE)
            emit_text(UNSUPPORTED, relative, "fallocate that changes contents", status.st_ino);
        else if (result == 0 && mode == 0 && offset + bytes > status.st_size)
            emit(TRUNCATE, relative, NULL, 0, 0, status.st_ino, (uint64_t)(offset + bytes), 0);
    }
    unlock();
    errno = saved;
    return result;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t bytes) { return fallocate(fd, mode, offset, bytes); }
int posix_fallocate(int fd, off_t offset, off_t bytes)
{
    int saved = errno, error = fallocate(fd, 0, offset, bytes) == 0 ? 0 : errno;
    errno = saved;
    return error;
}
int posix_fallocate64(int fd, off64_t offset, off64_t bytes) { return posix_fallocate(fd, offset, bytes); }

/* Copies inside the kernel carry no bytes that we could record: the caller is sent to its fallback. */
static int must_copy_by_hand(int fd)
{
    struct stat status;
    char relative[PATH_MAX];
    return place_of(fd, &status, relative) != ELSEWHERE;
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t bytes, unsigned flags)
{
    if (must_copy_by_hand(out))
        return errno = ENOSYS, -1;
    return syscall(SYS_copy_file_range, in, in_at, out, out_at, bytes, flags);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t bytes)
{
    if (must_copy_by_hand(out))
        return errno = ENOSYS, -1;
    return syscall(SYS_sendfile, out, in, offset, bytes);
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t bytes) { return sendfile(out, in, offset, bytes); }

ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t bytes, unsigned flags)
{
    if (must_copy_by_hand(out))
        return errno = EINVAL, -1;
    return syscall(SYS_splice, in, in_at, out, out_at, bytes, flags);
}

void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    struct stat status;
    char relative[PATH_MAX];
    void *mapped = (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, offset);
    if (active && mapped != MAP_FAILED && fd >= 0 && (protection & PROT_WRITE) && (flags & MAP_SHARED)
        && place_of(fd, &status, relative) == FILE_BELOW) {
        lock();
        emit_text(UNSUPPORTED, relative, "shared writable mapping", status.st_ino);
        unlock();
    }
    return mapped;
}

void *mmap64(void *address, size_t bytes, int protection, int flags, int fd, off64_t offset)
{
    return mmap(address, bytes, protection, flags, fd, offset);
}

/* ---- syncs ----------------------------------------------------------------------------------------- */

static int sync_fd(int fd, long call)
{
    struct stat status;
    char relative[PATH_MAX];
    enum place place = place_of(fd, &status, relative);
    if (place != FILE_BELOW && place != DIRECTORY_BELOW)
        return (int)syscall(call, fd);
    lock();
    uint64_t number = ++last_number;
    int fails = fail_sync_after >= 0 && ++syncs_seen >= fail_sync_after;
    emit(SYNC_BEGIN, relative, NULL, 0, 0, status.st_ino, number, place == DIRECTORY_BELOW);
    unlock();
    int result = -1, saved = EIO;
    if (sync_delay_us > 0)
        usleep((useconds_t)sync_delay_us);
    if (!fails) {
        result = (int)syscall(call, fd);
        saved = errno;
    }
    lock();
    emit(SYNC_END, "", NULL, 0, 0, status.st_ino, number, (uint64_t)(result == 0 ? 0 : saved));
    unlock();
    errno = saved;
    return result;
}

int fsync(int fd) { return sync_fd(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_fd(fd, SYS_fdatasync); }
