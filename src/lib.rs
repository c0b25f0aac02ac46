//! The native addon of the npm package `dynamodb-session`: [`binding`], the only module that knows Node, turns a
//! call into work for the runtime thread of `dynamodb-session-core`. The outcome returns through [`completions`],
//! which wake JavaScript once for many.

#![deny(unsafe_code)]
#![warn(rust_2018_idioms)]

mod binding;
pub mod completions;
mod item_codec;
pub mod js_credentials;
