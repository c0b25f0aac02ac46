//! How Linux schedules the runtime thread.

#![allow(unsafe_code, reason = "the standard library has no function for the scheduling policy of a thread")]

/// Keeps the calling thread from preempting other threads when it wakes up, which Linux calls `SCHED_BATCH`. Needs no
/// privilege. Where a sandbox refuses it, the thread keeps its policy.
///
/// A response would otherwise interrupt the JavaScript thread, if both share a core, and each one separately. The priority of
/// the thread stays the same, and on an idle core it runs at once. The threads and programs that it starts, such as those of
/// `credential_process`, inherit the policy.
pub(crate) fn avoid_preemption() {
    // SAFETY: `sched_param` consists of integers, so zeros are a valid value. The thread is the calling one, which exists, and
    // the pointers are valid during the calls.
    unsafe {
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

    #[test]
    fn the_thread_gets_the_batch_policy() {
        std::thread::spawn(|| {
            assert_eq!(policy(), libc::SCHED_OTHER);
            avoid_preemption();
            assert_eq!(policy(), libc::SCHED_BATCH);
        })
        .join()
        .unwrap();
    }
}
