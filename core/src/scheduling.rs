//! How Linux schedules the runtime thread.

#![allow(unsafe_code, reason = "the standard library has no function for the scheduling policy of a thread")]

/// Keeps the calling thread from preempting other threads when it wakes up, which Linux calls `SCHED_BATCH`, if the process
/// may use only one CPU. Needs no privilege. Where a sandbox refuses it, the thread keeps its policy.
///
/// There, a response would interrupt the JavaScript thread, and each one separately. With several CPUs, the thread must be
/// able to preempt: while other processes use all of them, it would otherwise wait for milliseconds. The threads and
/// programs that it starts, such as those of `credential_process`, inherit the policy.
pub(crate) fn avoid_preemption() {
    // SAFETY: `cpu_set_t` and `sched_param` consist of integers, so zeros are valid values. The thread is the calling one,
    // which exists, and the pointers are valid during the calls.
    unsafe {
        let mut cpus: libc::cpu_set_t = std::mem::zeroed();
        let is_known = libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut cpus) == 0;
        if !is_known || libc::CPU_COUNT(&cpus) != 1 {
            return;
        }
        let thread = libc::pthread_self();
        let mut parameters: libc::sched_param = std::mem::zeroed();
        let mut policy = 0;
        // A policy that the operator has chosen, such as a real-time policy, stays.
        let is_known = libc::pthread_getschedparam(thread, &mut policy, &mut parameters) == 0;
        if is_known && policy == libc::SCHED_OTHER {
            libc::pthread_setschedparam(thread, libc::SCHED_BATCH, &parameters);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> i32 {
        // The command's name, in parentheses, may contain spaces.
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let fields = stat.rsplit_once(')').unwrap().1;
        fields.split_whitespace().nth(38).unwrap().parse().unwrap()
    }

    /// Limits the calling thread to the CPU on which it runs.
    fn use_one_cpu() {
        // SAFETY: As above. `CPU_SET` gets the number of a CPU that exists.
        unsafe {
            let mut cpus: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(libc::sched_getcpu() as usize, &mut cpus);
            assert_eq!(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &cpus), 0);
        }
    }

    #[test]
    fn a_thread_with_one_cpu_gets_the_batch_policy() {
        std::thread::spawn(|| {
            if std::thread::available_parallelism().unwrap().get() > 1 {
                avoid_preemption();
                assert_eq!(policy(), libc::SCHED_OTHER);
            }
            use_one_cpu();
            avoid_preemption();
            assert_eq!(policy(), libc::SCHED_BATCH);
        })
        .join()
        .unwrap();
    }
}
