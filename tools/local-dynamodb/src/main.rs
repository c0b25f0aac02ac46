//! Prints the endpoint of a new in-memory DynamoDB and serves it until standard input ends,
//! so that it cannot outlive the program that started it.

use std::{io, thread};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let (endpoint, serving) = local_dynamodb::bind().await?;
    println!("{endpoint}");
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
