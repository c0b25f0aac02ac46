//! The programs that the benchmark runs beside the stores: a DynamoDB that responds from memory, and a load generator for
//! apps. They share the machine with the stores, so each uses one thread and little CPU time.

mod http;
mod load;
mod serve;

use std::collections::HashMap;
use std::error::Error;

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let options = Options::read(words)?;
    match command.as_str() {
        "serve" => serve::run(&options).await,
        "load" => load::run(&options).await,
        _ => Err("bench-server serve|load --name value ...".into()),
    }
}

/// The arguments after the command, in pairs: `--name value`.
pub struct Options(HashMap<String, String>);

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = HashMap::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or_else(|| format!("{word} is not an option"))?;
            options.insert(name.to_owned(), words.next().ok_or_else(|| format!("{word} needs a value"))?);
        }
        Ok(Self(options))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn need(&self, name: &str) -> Result<&str> {
        self.get(name).ok_or_else(|| format!("--{name} is missing").into())
    }

    /// A time in milliseconds.
    pub fn time(&self, name: &str) -> Result<std::time::Duration> {
        Ok(std::time::Duration::from_millis(self.get(name).unwrap_or("0").parse()?))
    }
}
