//! The JSON of requests and responses.

pub mod json_cursor;
pub mod json_string;
pub mod request;
pub mod response;
pub mod service_error;
