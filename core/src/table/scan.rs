//! Lists, counts, and deletes the sessions of a table, page by page. A Scan reads, and is charged for, the whole table.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, TryStreamExt};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::error::{Error, Result};
use crate::item::codec::StoredItem;
use crate::item::expiry::{self, Seconds};
use crate::item::layout::Layout;
use crate::transport::{Trace, Transport};
use crate::wire::response::Page;

/// BatchWriteItem takes 25 requests
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>).
const BATCH: usize = 25;
const CONCURRENT_BATCHES: usize = 4;
/// How many times in a row the service may process nothing of a batch.
const MAX_FRUITLESS_RETRIES: u32 = 8;
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Reads and deletes the sessions of a table. Each of its requests has the full time limit.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    pub transport: &'a Transport,
    pub table: &'a str,
    pub layout: &'a Layout,
    /// How long after its creation a session ends, in seconds, if ever.
    pub max_lifetime: Option<Seconds>,
}

/// The items that a Scan returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    AliveAt(Seconds),
    All,
}

/// A page without sessions.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyPage {
    #[serde(default)]
    count: u64,
    items: Option<Vec<Value>>,
    last_evaluated_key: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchResponse {
    /// By the name or the ARN of the table, depending on the service.
    unprocessed_items: Option<HashMap<String, Vec<Value>>>,
}

impl Scanner<'_> {
    /// The number of sessions that are alive.
    pub(crate) async fn count(&self, now: Seconds) -> Result<u64> {
        let mut count = 0;
        let mut scan = self.scan_request(Scope::AliveAt(now));
        scan["Select"] = "COUNT".into();
        loop {
            let page: KeyPage = self.send("Scan", &scan, parse_json).await?;
            count += page.count;
            match page.last_evaluated_key {
                Some(key) => scan["ExclusiveStartKey"] = key,
                None => return Ok(count),
            }
        }
    }

    /// Calls `each` with every session that is alive. With `only_keys`, the items have no session attribute.
    pub(crate) async fn for_each(
        &self,
        only_keys: bool,
        now: Seconds,
        mut each: impl FnMut(StoredItem),
    ) -> Result<()> {
        let mut scan = self.scan_request(Scope::AliveAt(now));
        if only_keys {
            scan["ProjectionExpression"] = "#key".into();
        }
        loop {
            let page = self.send("Scan", &scan, |body| Page::parse(body, self.layout)).await?;
            page.items.into_iter().for_each(&mut each);
            match page.last_key {
                Some(key) => scan["ExclusiveStartKey"] = key,
                None => return Ok(()),
            }
        }
    }

    /// Deletes every session, including expired ones, a page of keys at a time.
    pub(crate) async fn clear(&self) -> Result<()> {
        let mut scan = self.scan_request(Scope::All);
        scan["ProjectionExpression"] =
            if self.layout.sort_key.is_some() { "#key, #sort" } else { "#key" }.into();
        loop {
            let page: KeyPage = self.send("Scan", &scan, parse_json).await?;
            let keys = page.items.unwrap_or_default();
            stream::iter(keys.chunks(BATCH).map(Ok))
                .try_for_each_concurrent(CONCURRENT_BATCHES, |batch| self.delete(batch))
                .await?;
            match page.last_evaluated_key {
                Some(key) => scan["ExclusiveStartKey"] = key,
                None => return Ok(()),
            }
        }
    }

    /// Builds a Scan of the items with the prefix or, without a prefix, of the items with a session attribute, so that
    /// other items of a shared table are ignored.
    fn scan_request(&self, scope: Scope) -> Value {
        let layout = self.layout;
        let alive = format!("NOT ({})", expiry::IS_EXPIRED);
        let mut filter = Vec::new();
        let (mut names, mut values) = (Map::new(), Map::new());
        names.insert("#key".into(), layout.hash_key.as_str().into());
        if layout.prefix.is_empty() {
            // The key always exists, but DynamoDB rejects a name that no expression uses.
            filter.push("attribute_exists(#key) AND attribute_exists(#session)");
            names.insert("#session".into(), layout.session.as_str().into());
        } else {
            filter.push("begins_with(#key, :prefix)");
            values.insert(":prefix".into(), json!({ "S": layout.prefix }));
        }
        if let Some(sort_key) = &layout.sort_key {
            filter.push("#sort = #key");
            names.insert("#sort".into(), sort_key.as_str().into());
        }
        if let Scope::AliveAt(now) = scope {
            filter.push(&alive);
            names.insert("#e".into(), layout.expires.as_str().into());
            if let Some((created, longest)) = layout.created.as_ref().zip(self.max_lifetime) {
                filter.push("NOT (#c <= :oldest)");
                names.insert("#c".into(), created.as_str().into());
                values.insert(":oldest".into(), json!({ "N": (now - longest).to_string() }));
            }
            for (name, kind, text) in expiry::condition_values(now) {
                values.insert(name.into(), json!({ kind: text }));
            }
        }
        let mut scan = json!({
            "TableName": self.table,
            "ConsistentRead": true,
            "FilterExpression": filter.join(" AND "),
            "ExpressionAttributeNames": names,
        });
        if !values.is_empty() {
            scan["ExpressionAttributeValues"] = values.into();
        }
        scan
    }

    async fn delete(&self, keys: &[Value]) -> Result<()> {
        let mut requests: Vec<_> =
            keys.iter().map(|key| json!({ "DeleteRequest": { "Key": key } })).collect();
        let mut fruitless = 0;
        while fruitless <= MAX_FRUITLESS_RETRIES {
            let sent = requests.len();
            let batch = json!({ "RequestItems": { self.table: requests } });
            let response: BatchResponse = self.send("BatchWriteItem", &batch, parse_json).await?;
            requests = response.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
            if requests.is_empty() {
                return Ok(());
            }
            fruitless = if requests.len() < sent { 0 } else { fruitless + 1 };
            let pause = Duration::from_millis(50 << fruitless).min(LONGEST_PAUSE);
            sleep(pause.mul_f64(fastrand::f64())).await;
        }
        Err(Error::service(
            "ProvisionedThroughputExceededException",
            "DynamoDB keeps returning deletes as unprocessed",
            400,
        ))
    }

    async fn send<T>(
        &self,
        operation: &'static str,
        request: &Value,
        parse: impl Fn(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let body = Bytes::from(request.to_string());
        let parse = |reported: Result<()>, body: &[u8]| reported.and_then(|()| parse(body));
        let deadline = self.transport.deadline();
        let call = self.transport.call(operation, body, deadline, &mut Trace::default(), parse).await;
        call.map_err(|error| error.during(operation))
    }
}

fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| Error::invalid_response().with_source(error))
}
