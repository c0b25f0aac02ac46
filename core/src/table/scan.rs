//! Every session of the table, page by page: a Scan reads, and is charged for, the whole table.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, Select, WriteRequest};
use futures_util::stream::{self, TryStreamExt};
use tokio::time::sleep;

use crate::aws::sdk_error::failed;
use crate::error::{Error, Kind, Result};
use crate::item::codec::StoredItem;
use crate::item::expiry::{self, Seconds};
use crate::table::{RawAnswer, Table};
use crate::wire::response::Page;

/// BatchWriteItem takes 25 requests
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>).
const BATCH: usize = 25;
const BATCHES_AT_ONCE: usize = 4;
/// How often in a row the service may process nothing of a batch.
const FRUITLESS_REPETITIONS: u32 = 8;
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

type Key = HashMap<String, AttributeValue>;

/// Which items count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    AliveAt(Seconds),
    All,
}

impl Table {
    /// How many sessions are alive.
    pub async fn count(&self, now: Seconds) -> Result<u64> {
        let mut count = 0;
        let mut start = None;
        loop {
            let page = self
                .scan(Scope::AliveAt(now))
                .select(Select::Count)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed("Scan"))?;
            count += u64::try_from(page.count).unwrap_or_default();
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(count);
            }
        }
    }

    /// Calls `each` with every session that is alive; without their bodies if only `keys` are wanted.
    pub async fn for_each(&self, keys: bool, now: Seconds, mut each: impl FnMut(StoredItem)) -> Result<()> {
        let mut start = None;
        loop {
            let raw = RawAnswer::default();
            let mut scan = self.scan(Scope::AliveAt(now)).set_exclusive_start_key(start);
            if keys {
                scan = scan.projection_expression("#key");
            }
            let page = scan.customize().interceptor(raw.clone()).send().await.map_err(failed("Scan"))?;
            Page::parse(raw.take().as_bytes(), &self.layout)?.items.into_iter().for_each(&mut each);
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Deletes every session, expired ones too, a page of keys at a time.
    pub async fn clear(&self) -> Result<()> {
        let mut start = None;
        loop {
            let projection = if self.layout.sort_key.is_some() { "#key, #sort" } else { "#key" };
            let scan = self.scan(Scope::All).projection_expression(projection);
            let page = scan.set_exclusive_start_key(start).send().await.map_err(failed("Scan"))?;
            let keys = page.items.unwrap_or_default();
            stream::iter(keys.chunks(BATCH).map(Ok))
                .try_for_each_concurrent(BATCHES_AT_ONCE, |batch| self.delete(batch))
                .await?;
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// The items with our prefix. Without a prefix they are those that hold a session attribute, so that
    /// the other items of a shared table are left alone.
    fn scan(&self, scope: Scope) -> ScanFluentBuilder {
        let layout = &self.layout;
        let alive = &*format!("NOT ({})", expiry::IS_EXPIRED);
        let mut filter = Vec::new();
        let mut scan = self
            .client
            .scan()
            .table_name(&self.name)
            .consistent_read(true)
            .expression_attribute_names("#key", &layout.hash_key);
        if layout.prefix.is_empty() {
            // The key always exists; DynamoDB refuses a name that no expression uses.
            filter.push("attribute_exists(#key) AND attribute_exists(#session)");
            scan = scan.expression_attribute_names("#session", &layout.session);
        } else {
            filter.push("begins_with(#key, :prefix)");
            scan = scan.expression_attribute_values(":prefix", AttributeValue::S(layout.prefix.clone()));
        }
        if let Some(sort_key) = &layout.sort_key {
            filter.push("#sort = #key");
            scan = scan.expression_attribute_names("#sort", sort_key);
        }
        if let Scope::AliveAt(now) = scope {
            filter.push(alive);
            scan = scan.expression_attribute_names("#e", &layout.expires);
            for (name, kind, text) in expiry::condition_values(now) {
                let value = if kind == "N" { AttributeValue::N(text) } else { AttributeValue::S(text) };
                scan = scan.expression_attribute_values(name, value);
            }
        }
        scan.filter_expression(filter.join(" AND "))
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        let mut requests = Vec::with_capacity(keys.len());
        for key in keys {
            let delete = DeleteRequest::builder()
                .set_key(Some(key.clone()))
                .build()
                .map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
            requests.push(WriteRequest::builder().delete_request(delete).build());
        }
        let mut fruitless = 0;
        while fruitless <= FRUITLESS_REPETITIONS {
            let sent = requests.len();
            let answer = self
                .client
                .batch_write_item()
                .request_items(&self.name, requests)
                .send()
                .await
                .map_err(failed("BatchWriteItem"))?;
            // Keyed by the name or the ARN, as the service likes.
            requests = answer.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
            if requests.is_empty() {
                return Ok(());
            }
            fruitless = if requests.len() < sent { 0 } else { fruitless + 1 };
            let pause = Duration::from_millis(50 << fruitless).min(LONGEST_PAUSE);
            sleep(pause.mul_f64(fastrand::f64())).await;
        }
        Err(Error::service(
            "ProvisionedThroughputExceededException",
            "the service processes no more deletions",
            400,
        ))
    }
}
