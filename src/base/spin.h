/** A wait that is over before a thread could be put to sleep and woken: for the last of what other threads are at already. */
#ifndef DN_BASE_SPIN_H
#define DN_BASE_SPIN_H

/** So many turns take 10 to 50 microseconds. */
#define DN_SPIN_TURNS 1000

/** One turn of a loop that looks at an atomic variable.  Threads: any; hold no lock that the others need. */
static inline void dn_spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
