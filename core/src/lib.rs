//! Web sessions in Amazon DynamoDB, without Node: all of the npm package `dynamodb-session` that can be told apart
//! from it.
//!
//! A request of a web app comes down this list, and nothing points back up:
//!
//! - [`runtime`], the thread on which everything happens.
//! - [`store`] makes of each operation one DynamoDB request: [`store::Store::get`], `set`, `touch`, `destroy`.
//! - [`request`] writes what is sent and [`reply`] reads what comes back, by the [`layout`] of the table, with
//!   [`attribute`] values as text and [`expiry`] in seconds. These are pure.
//! - [`transport`], the data plane, signs, sends, retries and classifies.
//! - [`table`] and [`mod@scan`], the control plane, go through the AWS SDK, over the same HTTP client.
//! - [`aws`] settles region, endpoint and [`credentials`] from the [`config`] or the environment, at the
//!   first operation.
//!
//! A session is JSON text all the way: it crosses from JavaScript as one string and is copied into the
//! request; no tree of values is built on the way in or out.

#![deny(unsafe_code)]
#![warn(rust_2018_idioms)]

pub mod aws;
pub mod config;
pub mod date;
pub mod environment;
pub mod error;
pub mod files;
pub mod item;
pub mod json;
pub mod runtime;
pub mod single_flight;
pub mod stats;
pub mod store;
pub mod sync;
pub mod table;
pub mod transport;
pub mod wire;
