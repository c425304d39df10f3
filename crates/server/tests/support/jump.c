/* Makes the clocks of a process jump: a library that is loaded into it before its own.
 *
 * Adds to the time of day and to the steady clock what the file named by CLOCK_JUMP says, two 64-bit
 * numbers of milliseconds in this machine's byte order, which a test may change at any moment. Timers that
 * the kernel keeps do not notice: a process sees a jump when it next asks for the time.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL
#define MILLI_NS 1000000LL

static const int64_t *jump_ms;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CLOCK_JUMP");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        abort();
    void *shared = mmap(NULL, 2 * sizeof *jump_ms, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (shared == MAP_FAILED)
        abort();
    jump_ms = shared;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (failed || !jump_ms || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
        return failed;
    int64_t jump = __atomic_load_n(&jump_ms[clock == CLOCK_REALTIME ? 0 : 1], __ATOMIC_RELAXED);
    int64_t ns = (int64_t)now->tv_sec * SECOND_NS + now->tv_nsec + jump * MILLI_NS;
    now->tv_sec = (time_t)(ns / SECOND_NS);
    now->tv_nsec = (long)(ns % SECOND_NS);
    return 0;
}
