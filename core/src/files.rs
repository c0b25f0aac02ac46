//! Reads files on a separate thread, because a read from a mount that hangs never ends.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::spawn_blocking;

use crate::sync::lock;

type ReadResult = Result<Arc<[u8]>, Arc<io::Error>>;
type Reads = HashMap<PathBuf, Shared<BoxFuture<'static, ReadResult>>>;

/// Returns the contents of a file. The caller limits the time.
///
/// Concurrent reads of the same file share one thread, so that a read that never ends does not block an additional
/// thread with every retry.
pub(crate) async fn read(path: &Path) -> ReadResult {
    static READS: Mutex<Option<Reads>> = Mutex::new(None);
    let reads = || lock(&READS);

    let owned = path.to_owned();
    let reading = reads()
        .get_or_insert_default()
        .entry(owned.clone())
        .or_insert_with(|| {
            let reading = spawn_blocking(move || {
                let outcome = fs::read(&owned).map(Arc::from).map_err(Arc::new);
                reads().get_or_insert_default().remove(&owned);
                outcome
            });
            reading
                .map(|joined| joined.unwrap_or_else(|error| Err(Arc::new(io::Error::other(error)))))
                .boxed()
                .shared()
        })
        .clone();
    reading.await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_missing_file_is_an_error() {
        assert!(read(Path::new("Cargo.toml")).await.unwrap().starts_with(b"[package]"));
        assert_eq!(read(Path::new("missing")).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn a_read_that_hangs_does_not_block_other_reads() {
        let fifo = std::env::temp_dir().join(format!("dynamodb-session-fifo-{}", std::process::id()));
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            for _ in 0..3 {
                tokio::time::timeout(Duration::from_millis(20), read(&fifo)).await.unwrap_err();
            }
            assert!(read(Path::new("Cargo.toml")).await.is_ok());
        });
        fs::write(&fifo, "").unwrap();
        drop(runtime);
        fs::remove_file(fifo).unwrap();
    }
}
