//! Describes the table and its time to live.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::error::{Error, Result};
use crate::transport::{Trace, Transport};

/// The service's own responses, as JSON text.
#[derive(Debug)]
pub struct Description {
    /// `{"Table": …}`.
    pub table: String,
    /// `{"TimeToLiveDescription": …}`. Absent if the service does not support time to live, or a policy does not allow
    /// the request.
    pub time_to_live: Option<String>,
}

/// Sends DescribeTable and DescribeTimeToLive.
pub(crate) async fn describe(transport: &Transport, table: &str) -> Result<Description> {
    #[derive(Deserialize)]
    struct Expected {
        #[serde(rename = "Table")]
        _table: IgnoredAny,
    }
    let body = Bytes::from(json!({ "TableName": table }).to_string());
    let request = async |operation, check: fn(&str) -> bool| {
        let parse = |reported: Result<()>, body: &[u8]| {
            reported?;
            let text = str::from_utf8(body).ok().filter(|text| check(text));
            text.map(str::to_owned).ok_or_else(Error::invalid_response)
        };
        let call =
            transport.call(operation, body.clone(), transport.deadline(), &mut Trace::default(), parse).await;
        call.map_err(|error| error.during(operation))
    };
    let table = request("DescribeTable", |text| serde_json::from_str::<Expected>(text).is_ok()).await?;
    let is_object = |text: &str| serde_json::from_str::<serde_json::Map<_, _>>(text).is_ok();
    match request("DescribeTimeToLive", is_object).await {
        Ok(text) => Ok(Description { table, time_to_live: Some(text) }),
        Err(error) if is_unavailable(&error) => Ok(Description { table, time_to_live: None }),
        Err(error) => Err(error),
    }
}

/// Some servers do not support time to live, a policy may not allow the request, and a table that is being deleted has
/// no time to live anymore.
fn is_unavailable(error: &Error) -> bool {
    error.is_service("UnknownOperationException")
        || error.is_service("AccessDeniedException")
        || error.is_missing_table()
}
