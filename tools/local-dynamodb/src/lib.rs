//! An in-memory DynamoDB on a loopback port, for the tests, the demo, and development.

use std::io;

use dynoxide::Database;
use tokio::net::TcpListener;

/// Binds a free loopback port and returns the endpoint with the future that serves it.
///
/// The server lives as long as the future is polled.
pub async fn bind() -> io::Result<(String, impl Future<Output = ()> + Send + 'static)> {
    bind_port(0).await
}

/// Like [`bind`], on a given port; 0 is a free one.
pub async fn bind_port(port: u16) -> io::Result<(String, impl Future<Output = ()> + Send + 'static)> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let database = Database::memory().map_err(io::Error::other)?;
    Ok((endpoint, dynoxide::server::serve_on(listener, database)))
}
