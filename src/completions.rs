//! The way back to JavaScript. Completions are queued, and one wake-up of the JavaScript thread delivers all of them:
//! waking it is the expensive part of crossing the boundary.

use std::sync::{Arc, Mutex};

use dynamodb_session_core::store::StoredSession;
use dynamodb_session_core::sync::lock;
use napi_derive::napi;

/// The completion of one call.
#[derive(Debug, PartialEq)]
pub(crate) struct Completion {
    /// The ID that JavaScript chose for the call.
    pub call: u32,
    /// What the call returned.
    pub outcome: CompletionOutcome,
    /// Attempts, status, and capacity units as JSON, if the caller asked for them.
    pub trace: Option<String>,
    /// The JSON of an error that did not make the call fail.
    pub warning: Option<String>,
}

/// What a call returned.
#[derive(Debug, PartialEq)]
pub(crate) enum CompletionOutcome {
    /// Success without a value.
    Done,
    /// A session as JSON text, and its expiry and creation time in seconds.
    Session {
        /// The session.
        text: String,
        /// The expiry, if the item has one.
        expires: Option<f64>,
        /// The creation time, if the item has one.
        created: Option<f64>,
        /// The token of the session; see `StoredSession`.
        token: Option<String>,
    },
    /// The session was written.
    Written {
        /// The token of the session; see `StoredSession`.
        token: Option<String>,
        /// The expiry, if it is not the one that JavaScript passed.
        expires: Option<f64>,
        /// The creation time, if it is not the one that JavaScript passed.
        created: Option<f64>,
    },
    /// The item of the session has expired.
    Expired,
    /// The session has ended, so it was not written.
    Ended,
    /// The item holds a different session, so the session was not written.
    Changed {
        /// The stored session.
        session: StoredSession,
        /// The expiry, if the item has one.
        expires: Option<f64>,
        /// The creation time, if the item has one.
        created: Option<f64>,
    },
    /// Success with a number.
    Number(f64),
    /// Success with a text.
    Text(String),
    /// The JSON of an error.
    Failed(String),
}

/// The positions of a completion's slots in the array of `Bridge.take`.
#[napi]
#[derive(Debug)]
pub enum CompletionSlot {
    /// The ID of the call.
    Call,
    /// A `CompletionStatus`. A hole means that the call succeeded.
    Status,
    /// A session, a response, or another result as text. If the call failed, the JSON of an error.
    Text,
    /// An expiry in seconds, a count, or the ID of a request to JavaScript.
    Number,
    /// What the call reports if it was traced; see `trace_json`.
    Trace,
    /// The JSON of an error that did not make the call fail.
    Warning,
    /// What stands for a stored session in `replace`. A hole means that its text does.
    Token,
    /// When a session was created, in seconds.
    Created,
}

/// How a call ended.
#[napi]
#[derive(Debug, Default, PartialEq)]
pub enum CompletionStatus {
    /// The call succeeded.
    #[default]
    Succeeded,
    /// The call failed.
    Failed,
    /// The item of the session has expired.
    Expired,
    /// A session was not written because it has ended: there is no item, the item has expired, or it has no session.
    Ended,
    /// A session was not written because the item holds a different one, which is the text. Without a text, it cannot be
    /// read.
    Changed,
}

/// The values of the slots that the outcome determines.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    pub status: CompletionStatus,
    pub text: Option<String>,
    pub number: Option<f64>,
    pub token: Option<String>,
    pub created: Option<f64>,
}

impl CompletionOutcome {
    /// The values of the completion's slots.
    pub(crate) fn into_slots(self) -> Slots {
        let slots = Slots::default();
        match self {
            Self::Done => slots,
            Self::Session { text, expires, created, token } => {
                Slots { text: Some(text), number: expires, created, token, ..slots }
            }
            Self::Written { token, expires, created } => Slots { token, number: expires, created, ..slots },
            Self::Expired => Slots { status: CompletionStatus::Expired, ..slots },
            Self::Ended => Slots { status: CompletionStatus::Ended, ..slots },
            Self::Changed { session: StoredSession { text, token }, expires, created } => {
                Slots { status: CompletionStatus::Changed, text: text.ok(), number: expires, token, created }
            }
            Self::Number(number) => Slots { number: Some(number), ..slots },
            Self::Text(text) => Slots { text: Some(text), ..slots },
            Self::Failed(error) => Slots { status: CompletionStatus::Failed, text: Some(error), ..slots },
        }
    }
}

/// Wakes the JavaScript thread, or clears the queue if the thread has exited.
type Wake = Box<dyn Fn(Arc<Completions>) + Send + Sync>;

/// The queue of completions for one JavaScript thread.
pub(crate) struct Completions {
    queue: Mutex<Vec<Completion>>,
    wake: Wake,
}

impl Completions {
    /// A queue that calls `wake` when it has completions.
    pub(crate) fn new(wake: impl Fn(Arc<Self>) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { queue: Mutex::default(), wake: Box::new(wake) })
    }

    /// Queues a completion. Only the first one in the queue wakes the JavaScript thread.
    pub(crate) fn push(self: &Arc<Self>, completion: Completion) {
        let is_first = {
            let mut queue = self.queue();
            queue.push(completion);
            queue.len() == 1
        };
        if is_first {
            (self.wake)(Arc::clone(self));
        }
    }

    /// Drops all completions in the queue.
    pub(crate) fn clear(&self) {
        self.queue().clear();
    }

    /// Takes all completions from the queue.
    pub(crate) fn take(&self) -> Vec<Completion> {
        std::mem::take(&mut *self.queue())
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Completion>> {
        lock(&self.queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    fn done(call: u32) -> Completion {
        Completion { call, outcome: CompletionOutcome::Done, trace: None, warning: None }
    }

    fn clear_unless(is_running: &AtomicBool, completions: &Completions) {
        if !is_running.load(Ordering::SeqCst) {
            completions.clear();
        }
    }

    #[test]
    fn one_wake_up_delivers_many_completions() {
        let wakes = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&wakes);
        let completions = Completions::new(move |_| _ = counter.fetch_add(1, Ordering::Relaxed));
        let push = |call| completions.push(done(call));
        (1..=3).for_each(push);
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
        assert_eq!(completions.take().len(), 3);
        push(4);
        assert_eq!(wakes.load(Ordering::Relaxed), 2);
        assert_eq!(completions.take()[0].call, 4);
    }

    #[test]
    fn completions_for_a_thread_that_has_exited_are_dropped() {
        let is_running = Arc::new(AtomicBool::new(false));
        let state = Arc::clone(&is_running);
        let completions = Completions::new(move |completions| clear_unless(&state, &completions));
        (1..=3).for_each(|call| completions.push(done(call)));
        assert_eq!(completions.take(), []);
    }

    #[test]
    fn no_completion_of_concurrent_threads_is_lost() {
        let wakes = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&wakes);
        let completions = Completions::new(move |_| _ = counter.fetch_add(1, Ordering::AcqRel));
        const THREADS: u32 = 4;
        const EACH: u32 = 5_000;
        let mut seen = vec![false; (THREADS * EACH) as usize];
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let completions = Arc::clone(&completions);
                scope.spawn(move || {
                    for n in 0..EACH {
                        completions.push(done(thread * EACH + n));
                    }
                });
            }
            // Takes completions only after a wake-up, as JavaScript does. This loop would not end if a wake-up got lost.
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
    fn no_completion_remains_after_the_thread_exits() {
        for _ in 0..200 {
            let is_running = Arc::new(AtomicBool::new(true));
            let state = Arc::clone(&is_running);
            let completions = Completions::new(move |completions| clear_unless(&state, &completions));
            std::thread::scope(|scope| {
                for call in 0..4 {
                    let completions = &completions;
                    let push = move |_| completions.push(done(call));
                    scope.spawn(move || (0..200).for_each(push));
                }
                completions.take();
                is_running.store(false, Ordering::SeqCst);
                completions.take();
            });
            assert_eq!(completions.take(), []);
        }
    }
}
