//! The way back to JavaScript: answers gather in a queue and one wake-up delivers all of them.

use std::sync::Mutex;

use dynamodb_session_core::sync::lock;

/// The answer to one call.
#[derive(Debug, Default, PartialEq)]
pub struct Completion {
    /// The number that JavaScript gave the call.
    pub call: u32,
    /// The text is an error.
    pub failed: bool,
    pub text: Option<String>,
    pub number: Option<f64>,
    /// What the call took, as JSON, when that was asked for.
    pub trace: Option<String>,
    /// An error, as JSON, that did not make the call fail.
    pub warning: Option<String>,
}

/// Wakes the JavaScript thread; false when there is none any more.
type Wake = Box<dyn Fn() -> bool + Send + Sync>;

/// Completions of one JavaScript thread.
pub struct Completions {
    waiting: Mutex<Vec<Completion>>,
    wake: Wake,
}

impl Completions {
    pub fn new(wake: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { waiting: Mutex::default(), wake: Box::new(wake) }
    }

    /// Delivers a completion. Only the first one that waits wakes the JavaScript thread.
    pub fn push(&self, completion: Completion) {
        let is_first = {
            let mut waiting = self.waiting();
            waiting.push(completion);
            waiting.len() == 1
        };
        if is_first && !(self.wake)() {
            self.waiting().clear();
        }
    }

    /// All that wait.
    pub fn take(&self) -> Vec<Completion> {
        std::mem::take(&mut *self.waiting())
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Completion>> {
        lock(&self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    #[test]
    fn one_wake_up_delivers_many() {
        let wakes = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&wakes);
        let completions = Completions::new(move || counter.fetch_add(1, Ordering::Relaxed) < u32::MAX);
        let push = |call| completions.push(Completion { call, ..Completion::default() });
        (1..=3).for_each(push);
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
        assert_eq!(completions.take().len(), 3);
        push(4);
        assert_eq!(wakes.load(Ordering::Relaxed), 2);
        assert_eq!(completions.take()[0].call, 4);
    }

    #[test]
    fn nothing_gathers_for_a_thread_that_is_gone() {
        let is_there = Arc::new(AtomicBool::new(false));
        let state = Arc::clone(&is_there);
        let completions = Completions::new(move || state.load(Ordering::Relaxed));
        (1..=3).for_each(|call| completions.push(Completion { call, ..Completion::default() }));
        assert_eq!(completions.take(), []);
    }

    #[test]
    fn threads_lose_none() {
        let wakes = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&wakes);
        let completions =
            Arc::new(Completions::new(move || counter.fetch_add(1, Ordering::AcqRel) < u32::MAX));
        const THREADS: u32 = 4;
        const EACH: u32 = 5_000;
        let mut seen = vec![false; (THREADS * EACH) as usize];
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let completions = Arc::clone(&completions);
                scope.spawn(move || {
                    for n in 0..EACH {
                        completions.push(Completion { call: thread * EACH + n, ..Completion::default() });
                    }
                });
            }
            // Takes only when woken, as JavaScript does: a lost wake-up would never end this loop.
            let mut count = 0;
            while count < seen.len() {
                if wakes.swap(0, Ordering::AcqRel) > 0 {
                    for completion in completions.take() {
                        assert!(!std::mem::replace(&mut seen[completion.call as usize], true));
                        count += 1;
                    }
                }
                std::hint::spin_loop();
            }
        });
        assert!(seen.into_iter().all(|seen| seen));
    }

    #[test]
    fn a_thread_that_goes_meanwhile_leaves_none() {
        for _ in 0..200 {
            let is_there = Arc::new(AtomicBool::new(true));
            let state = Arc::clone(&is_there);
            let completions = Completions::new(move || state.load(Ordering::SeqCst));
            std::thread::scope(|scope| {
                for call in 0..4 {
                    let completions = &completions;
                    let push = move |_| completions.push(Completion { call, ..Completion::default() });
                    scope.spawn(move || (0..200).for_each(push));
                }
                completions.take();
                is_there.store(false, Ordering::SeqCst);
                completions.take();
            });
            assert_eq!(completions.take(), []);
        }
    }
}
