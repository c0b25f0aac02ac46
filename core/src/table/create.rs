//! Creates the table and waits until it is ready. An existing table is never modified.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableOutput;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ProvisionedThroughput, ScalarAttributeType, TableDescription, TableStatus, Tag,
    TimeToLiveSpecification,
};
use tokio::time::{Instant, sleep};

use crate::config::NewTable;
use crate::error::{Error, Kind, Result};
use crate::item::layout::Layout;
use crate::transport::sdk_error::failed;

/// DynamoDB takes about ten seconds to create a table.
const LONGEST_CREATION: Duration = Duration::from_secs(120);
/// The first and the longest pause between two status checks.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A table, and the client to create it with.
#[derive(Clone, Debug)]
pub(crate) struct TableCreator {
    pub client: Client,
    pub name: String,
    pub layout: Layout,
}

impl TableCreator {
    /// Creates the table if it is missing, waits until it is ACTIVE, and then enables time to live. If that last step
    /// fails, the result holds its error: the table can be used without time to live.
    ///
    /// For a table that exists, or that another process is creating, this only checks that its key matches the
    /// layout, and waits. A table that is being deleted is created once it is gone.
    pub(crate) async fn create(&self, new: &NewTable) -> Result<Option<Error>> {
        let deadline = Instant::now() + LONGEST_CREATION;
        let mut pause = FIRST_PAUSE;
        let mut is_new = false;
        while Instant::now() < deadline {
            let table = self.find().await?;
            if let Some(mismatch) = table.as_ref().and_then(|table| self.layout.key_mismatch(table)) {
                return Err(Error::new(Kind::Config, mismatch));
            }
            match table.and_then(|table| table.table_status) {
                Some(TableStatus::Active) if is_new && new.time_to_live => {
                    return Ok(self.enable_time_to_live().await.err());
                }
                Some(TableStatus::Active) => return Ok(None),
                Some(_) => {}
                // Just after CreateTable, DescribeTable may still not find the table.
                None => match self.request_creation(new).await {
                    Ok(()) => is_new = true,
                    // Another process was faster, or the response to our first attempt was lost.
                    Err(error) if error.is_service("ResourceInUseException") => is_new = true,
                    Err(error) => return Err(error),
                },
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(Error::new(Kind::Timeout, format!("the table did not become ACTIVE within {LONGEST_CREATION:?}")))
    }

    async fn request_creation(&self, new: &NewTable) -> Result<()> {
        let layout = &self.layout;
        let keys = [(Some(&layout.hash_key), KeyType::Hash), (layout.sort_key.as_ref(), KeyType::Range)];
        let keys = keys.into_iter().filter_map(|(name, key_type)| Some((name?, key_type)));
        let mut request = self.client.create_table().table_name(&self.name);
        for (name, key_type) in keys.clone() {
            request = request.key_schema(key_element(name, key_type)?);
        }
        for name in keys.map(|(name, _)| name).chain(layout.user.as_ref()) {
            let definition = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build();
            request = request.attribute_definitions(definition.map_err(internal)?);
        }
        let throughput = new.throughput.map(|(read, write)| {
            ProvisionedThroughput::builder().read_capacity_units(read).write_capacity_units(write).build()
        });
        let throughput = throughput.transpose().map_err(internal)?;
        if let Some((attribute, index)) = layout.user.as_ref().zip(layout.user_index()) {
            let index = GlobalSecondaryIndex::builder()
                .index_name(index)
                .key_schema(key_element(attribute, KeyType::Hash)?)
                .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
                .set_provisioned_throughput(throughput.clone())
                .build();
            request = request.global_secondary_indexes(index.map_err(internal)?);
        }
        request = match throughput {
            Some(throughput) => {
                request.billing_mode(BillingMode::Provisioned).provisioned_throughput(throughput)
            }
            None => request.billing_mode(BillingMode::PayPerRequest),
        };
        for (key, value) in &new.tags {
            request = request.tags(Tag::builder().key(key).value(value).build().map_err(internal)?);
        }
        request.send().await.map_err(failed("CreateTable"))?;
        Ok(())
    }

    /// The table, if it exists.
    async fn find(&self) -> Result<Option<TableDescription>> {
        let request = self.client.describe_table().table_name(&self.name);
        match request.send().await.map_err(failed("DescribeTable")) {
            Ok(DescribeTableOutput { table: Some(table), .. }) => Ok(Some(table)),
            Ok(_) => Err(Error::invalid_response().during("DescribeTable")),
            Err(error) if error.is_missing_table() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn enable_time_to_live(&self) -> Result<()> {
        let specification =
            TimeToLiveSpecification::builder().attribute_name(&self.layout.expires).enabled(true).build();
        self.client
            .update_time_to_live()
            .table_name(&self.name)
            .time_to_live_specification(specification.map_err(internal)?)
            .send()
            .await
            .map_err(failed("UpdateTimeToLive"))
            .map(drop)
            .or_else(|error| if is_enabled_already(&error) { Ok(()) } else { Err(error) })
    }
}

impl Layout {
    /// How the key of a table differs from this layout, and what to do about it.
    fn key_mismatch(&self, table: &TableDescription) -> Option<String> {
        let name = table.table_name().unwrap_or_default();
        let types = table.attribute_definitions();
        let type_of = |name: &str| {
            types
                .iter()
                .find(|definition| definition.attribute_name == name)
                .map_or("S", |definition| definition.attribute_type.as_str())
        };
        let part = |kind: &KeyType| {
            table.key_schema().iter().find(|key| key.key_type == *kind).map(|key| &*key.attribute_name)
        };
        let hash_key = part(&KeyType::Hash)?;
        let sort_key = part(&KeyType::Range);
        let are_strings = [Some(hash_key), sort_key].into_iter().flatten().all(|name| type_of(name) == "S");
        if are_strings && hash_key == self.hash_key && sort_key == self.sort_key.as_deref() {
            return None;
        }
        let shown = |name: &str, kind: &str| format!("{name} ({kind})");
        let joined = |hash: String, sort: Option<String>| {
            [Some(hash), sort].into_iter().flatten().collect::<Vec<_>>().join(" and ")
        };
        let found =
            joined(shown(hash_key, type_of(hash_key)), sort_key.map(|name| shown(name, type_of(name))));
        let expected =
            joined(shown(&self.hash_key, "S"), self.sort_key.as_deref().map(|name| shown(name, "S")));
        let advice = match (are_strings, sort_key) {
            (false, _) => {
                "Use another table: the key of a session table must be of type S (string)".to_owned()
            }
            (true, Some(sort_key)) => {
                format!(
                    "Set option hashKey to {hash_key:?} and sortKey to {sort_key:?}, or use another table"
                )
            }
            (true, None) if self.sort_key.is_some() => {
                format!("Set option hashKey to {hash_key:?} and leave out sortKey, or use another table")
            }
            (true, None) => format!("Set option hashKey to {hash_key:?}, or use another table"),
        };
        Some(format!("the key of the table {name} is {found}, not {expected}. {advice}"))
    }
}

fn key_element(name: &str, key_type: KeyType) -> Result<KeySchemaElement> {
    KeySchemaElement::builder().attribute_name(name).key_type(key_type).build().map_err(internal)
}

/// Another process was faster, or the response to our first attempt was lost.
fn is_enabled_already(error: &Error) -> bool {
    error.is_service("ValidationException") && error.message.contains("already enabled")
}

fn internal(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::new(Kind::Internal, error.to_string())
}
