//! Sends requests to DynamoDB. A request takes this path:
//!
//! - [`attempts`] acquires a connection slot, signs, counts the attempt, sends, and decides about another attempt. It uses
//!   [`call`] (the input and output of a call), [`retry`] (which errors to retry, when, and how often), and [`clock`].
//! - [`endpoint_resolver`] finds the [`endpoint`], which builds the request and has it [signed](sign).
//! - [`http`] is the client with a [`pool`] of connections for each host.
//! - [`connect`] opens a connection: [`dns`], [`tcp`], [`proxy`], [`tls`].
//! - [`sdk_http`], [`sdk_retry`], and [`sdk_error`] let the AWS SDK use the same client, retries, and errors.

mod attempts;
mod call;
mod clock;
mod connect;
pub mod dns;
mod endpoint;
mod endpoint_resolver;
pub mod http;
mod pool;
mod proxy;
pub mod retry;
pub(crate) mod sdk_error;
pub(crate) mod sdk_http;
pub(crate) mod sdk_retry;
mod send_error;
mod sign;
mod tcp;
mod tls;

pub(crate) use attempts::{OperationLimits, Transport};
pub use call::{CallOptions, Trace, TraceDetails};
pub use endpoint::Endpoint;
pub(crate) use endpoint_resolver::EndpointResolver;
