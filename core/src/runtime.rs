//! The thread on which all stores of the process perform their I/O.

use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use std::thread;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::spawn_local;

use crate::error::{Error, Kind, Result};

type Task = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()> + Send>;

/// Runs `work` on the runtime thread. The first call starts the thread, which runs until the process ends. If the thread
/// cannot be started, for lack of threads or file descriptors, only this work fails.
///
/// Work is sent through a channel instead of `Handle::spawn`, because sending costs no system call while the thread is
/// awake.
pub fn spawn(work: impl AsyncFnOnce() + Send + 'static) -> Result<()> {
    static TASKS: OnceLock<UnboundedSender<Task>> = OnceLock::new();
    let tasks = match TASKS.get() {
        Some(tasks) => tasks,
        // If two callers start a thread at the same time, the second thread ends.
        None => {
            let started = start()?;
            TASKS.get_or_init(|| started)
        }
    };
    let task: Task = Box::new(|| work().boxed_local());
    tasks.send(task).map_err(|_| Error::new(Kind::Internal, "the runtime thread has ended"))
}

/// Runs `work` on the runtime thread, from which it must be called, after the tasks that are ready now.
pub fn defer(work: impl FnOnce() + 'static) {
    drop(spawn_local(async move { work() }));
}

/// Turns a panic of `work` into an error, so that it affects nothing else.
pub async fn guard<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    // The message of a panic may contain session data.
    outcome.unwrap_or_else(|_| Err(Error::new(Kind::Internal, "the addon panicked")))
}

fn start() -> Result<UnboundedSender<Task>> {
    let (sender, mut receiver) = mpsc::unbounded_channel::<Task>();
    let (started, outcome) = std::sync::mpsc::channel();
    let run = move || {
        #[cfg(target_os = "linux")]
        crate::scheduling::avoid_preemption();
        // A local runtime cannot leave the thread that builds it.
        let runtime = match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
            Ok(runtime) => runtime,
            Err(error) => return drop(started.send(error)),
        };
        drop(started);
        runtime.block_on(async {
            const BATCH: usize = 256;
            let mut batch = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut batch, BATCH).await > 0 {
                batch.drain(..).for_each(|task| drop(spawn_local(task())));
            }
        });
    };
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(Kind::Internal, "cannot start the runtime thread").with_source(error)
    };
    thread::Builder::new()
        .name("dynamodb-session".into())
        .spawn(run)
        .map_err(|error| failed(error.into()))?;
    match outcome.recv() {
        Ok(error) => Err(failed(Box::new(error))),
        Err(std::sync::mpsc::RecvError) => Ok(sender),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_fails_only_its_own_work() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let send = |work: fn() -> u32| {
            let sender = sender.clone();
            spawn(async move || {
                let outcome = guard(async { Ok(work()) }).await;
                sender.send(outcome.map_err(|error| error.kind)).unwrap();
            })
            .unwrap();
        };
        send(|| panic!("expected by this test"));
        send(|| 7);
        let outcomes: Vec<_> = receiver.iter().take(2).collect();
        assert_eq!(outcomes, [Err(Kind::Internal), Ok(7)]);
    }
}
