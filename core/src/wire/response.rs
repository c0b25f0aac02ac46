//! Parses the bodies of responses, without a tree of values: items and consumed capacity.

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::item::codec::StoredItem;
use crate::item::layout::Layout;
use crate::json::cursor::{Cursor, Expected, Unexpected};

/// The response to a request for one item.
#[derive(Debug)]
pub struct Response {
    /// What the request did.
    pub outcome: ItemOutcome,
    /// The capacity units that the request consumed, if the request asked for them.
    pub capacity_units: Option<f64>,
}

/// What a request for one item did.
#[derive(Debug, PartialEq)]
pub enum ItemOutcome {
    /// The request succeeded. A GetItem returns the item, if it exists.
    Success {
        /// The item.
        item: Option<StoredItem>,
    },
    /// The condition of the request was not met, so it changed nothing. Some servers never return the item.
    ConditionFailed {
        /// The item that did not meet the condition.
        item: Option<StoredItem>,
    },
}

impl Response {
    /// Parses the body of a response. `reported` is the error that the service reported, if any. For a conditional
    /// request, a failed condition is an outcome and not an error.
    pub fn parse(reported: Result<()>, body: &[u8], is_conditional: bool, layout: &Layout) -> Result<Self> {
        let condition_failed = match reported {
            Ok(()) => false,
            Err(error) if is_conditional && error.is_service("ConditionalCheckFailedException") => true,
            Err(error) => return Err(error),
        };
        let (item, capacity_units) = match parse_item(body, layout) {
            // The condition failed, whatever the rest of the body says.
            Err(_) if condition_failed => (None, None),
            parsed => parsed?,
        };
        let outcome = if condition_failed {
            ItemOutcome::ConditionFailed { item }
        } else {
            ItemOutcome::Success { item }
        };
        Ok(Self { outcome, capacity_units })
    }
}

/// The item and the consumed capacity units of a response.
fn parse_item(body: &[u8], layout: &Layout) -> Result<(Option<StoredItem>, Option<f64>)> {
    #[derive(Deserialize)]
    struct ConsumedCapacity {
        #[serde(rename = "CapacityUnits")]
        units: Option<f64>,
    }
    let (mut stored, mut capacity_units) = (None, None);
    parse(body, |cursor, name| {
        match name {
            "Item" => stored = Some(StoredItem::read(layout, cursor)?),
            "ConsumedCapacity" => {
                let consumed = serde_json::from_str::<ConsumedCapacity>(cursor.raw()?);
                capacity_units = consumed.map_err(|_| Unexpected)?.units;
            }
            _ => drop(cursor.raw()?),
        }
        Ok(())
    })?;
    Ok((stored, capacity_units))
}

/// A page of a Scan.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// The items.
    pub items: Vec<StoredItem>,
    /// The key after which the next page starts; absent on the last page.
    pub last_key: Option<Value>,
}

impl Page {
    /// Parses the body of a response.
    pub fn parse(body: &[u8], layout: &Layout) -> Result<Self> {
        let mut page = Self::default();
        parse(body, |cursor, name| match name {
            "Items" => cursor.array(|cursor| {
                page.items.push(StoredItem::read(layout, cursor)?);
                Ok(())
            }),
            "LastEvaluatedKey" => {
                page.last_key = serde_json::from_str(cursor.raw()?).map_err(|_| Unexpected)?;
                Ok(())
            }
            _ => cursor.raw().map(drop),
        })?;
        Ok(page)
    }
}

fn parse(body: &[u8], each: impl FnMut(&mut Cursor<'_>, &str) -> Expected<()>) -> Result<()> {
    let invalid = |position: usize| {
        Error::new(Kind::Network, format!("the response is not valid DynamoDB JSON, at byte {position}"))
    };
    let json = str::from_utf8(body).map_err(|error| invalid(error.valid_up_to()))?;
    let mut cursor = Cursor::new(json);
    cursor.object(each).map_err(|Unexpected| invalid(json.len() - cursor.remaining()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::layout::Format;
    use serde_json::json;

    fn succeeded(body: &[u8]) -> Result<Response> {
        Response::parse(Ok(()), body, false, &Layout::sample(Format::Json))
    }

    #[test]
    fn a_response_holds_the_item_and_its_cost() {
        let item = json!({ "id": { "S": "sess:k" }, "expires": { "N": "9" } });
        let body = json!({ "ConsumedCapacity": { "TableName": "t", "CapacityUnits": 0.5 }, "Item": item });
        let response = succeeded(body.to_string().as_bytes()).unwrap();
        assert_eq!(response.capacity_units, Some(0.5));
        let item = StoredItem { id: Some("k".into()), expires: Some(9.0), ..StoredItem::default() };
        assert_eq!(response.outcome, ItemOutcome::Success { item: Some(item) });
    }

    #[test]
    fn a_page_holds_items_and_the_key_of_the_next_page() {
        let last_key = json!({ "id": { "S": "sess:b" } });
        let body = json!({ "Count": 1, "Items": [{ "id": { "S": "sess:a" } }, last_key], "LastEvaluatedKey": last_key });
        let page = Page::parse(body.to_string().as_bytes(), &Layout::sample(Format::Json)).unwrap();
        let ids: Vec<_> = page.items.into_iter().filter_map(|item| item.id).collect();
        assert_eq!((ids, page.last_key), (vec!["a".to_owned(), "b".to_owned()], Some(last_key)));
        assert_eq!(Page::parse(b"{}", &Layout::sample(Format::Json)).unwrap(), Page::default());
        assert_eq!(succeeded(b"{}").unwrap().outcome, ItemOutcome::Success { item: None });
    }

    #[test]
    fn a_failed_condition_is_an_outcome_with_the_item() {
        let failed = |name: &'static str, is_conditional, body: &str| {
            let status = Err(Error::service(name, "m", 400));
            Response::parse(status, body.as_bytes(), is_conditional, &Layout::sample(Format::Json))
        };
        let name = "ConditionalCheckFailedException";
        let body = json!({ "message": "m", "Item": { "id": { "S": "sess:k" }, "expires": { "N": "9" } } });
        let item = StoredItem { id: Some("k".into()), expires: Some(9.0), ..StoredItem::default() };
        let outcome = failed(name, true, &body.to_string()).unwrap().outcome;
        assert_eq!(outcome, ItemOutcome::ConditionFailed { item: Some(item) });
        for body in [r#"{"message":"m"}"#, "", "[]"] {
            let outcome = failed(name, true, body).unwrap().outcome;
            assert_eq!(outcome, ItemOutcome::ConditionFailed { item: None }, "{body}");
        }
        assert!(failed(name, false, "{}").unwrap_err().is_service(name));
        assert!(failed("X", true, "{}").unwrap_err().is_service("X"));
        let outcome = Response::parse(Ok(()), b"{}", true, &Layout::sample(Format::Json)).unwrap().outcome;
        assert_eq!(outcome, ItemOutcome::Success { item: None });
    }

    #[test]
    fn the_error_of_an_invalid_response_does_not_quote_it() {
        let error = succeeded(br#"{"Item":"secret"}"#).unwrap_err();
        assert_eq!(error.kind, Kind::Network);
        assert!(!error.message.contains("secret"), "{error}");
    }
}
