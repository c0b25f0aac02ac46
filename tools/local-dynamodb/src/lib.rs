//! An in-memory DynamoDB on a free loopback port, for the tests and the demo.

use std::io;

use dynoxide::Database;
use tokio::net::TcpListener;

/// Binds a free loopback port and returns the endpoint with the future that serves it.
///
/// The server lives as long as the future is polled.
pub async fn bind() -> io::Result<(String, impl Future<Output = ()> + Send + 'static)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let database = Database::memory().map_err(io::Error::other)?;
    Ok((endpoint, dynoxide::server::serve_on(listener, database)))
}
