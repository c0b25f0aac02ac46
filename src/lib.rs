//! The native addon of the npm package `dynamodb-session`. It turns calls from JavaScript into work for
//! `dynamodb-session-core`, which runs on its own thread, and returns the results to the JavaScript thread.
//!
//! - [`native_store`] has the operations of a store. Each one starts work on the runtime thread.
//! - [`completions`] queues the results.
//! - [`bridge`] wakes the JavaScript thread and hands it the queue.
//! - [`failure`] is the JSON of an error.
//! - [`js_function`] calls a JavaScript function: [`js_credentials`] for credentials, and [`js_keys`] for encryption keys.
//! - [`item_codec`] writes and reads items synchronously.
//!
//! Only plain data crosses the boundary: strings, numbers, and JSON text where the documentation says so. The build
//! writes the interface to `lib/native/native.d.ts`.

mod bridge;
mod completions;
mod failure;
mod item_codec;
mod js_credentials;
mod js_function;
mod js_keys;
mod native_store;
