//! Serves an in-memory DynamoDB and prints its endpoint.
//!
//! Without an argument, it listens on a free port until standard input ends, so that it cannot outlive the program that
//! started it. With a port as the argument, it listens on that port until it is stopped.

use std::{env, io, thread};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let port = env::args().nth(1).map(|port| port.parse()).transpose().map_err(io::Error::other)?;
    let (endpoint, serving) = local_dynamodb::bind_port(port.unwrap_or(0)).await?;
    println!("{endpoint}");
    if port.is_some() {
        serving.await;
        return Ok(());
    }
    let (ended, end_of_input) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = ended.send(());
    });
    tokio::select! {
        () = serving => {}
        _ = end_of_input => {}
    }
    Ok(())
}
