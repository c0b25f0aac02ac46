//! The session store. Each operation on a session is usually one DynamoDB request.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_credential_types::provider::SharedCredentialsProvider;
use bytes::Bytes;
use serde::Serialize;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use crate::aws::AwsClients;
use crate::config::{Config, ConsistentRead, NewTable};
use crate::environment::{Environment, SharedEnvironment};
use crate::error::{Error, Kind, Result};
use crate::item::codec::StoredItem;
use crate::item::expiry::{self, Seconds};
use crate::keyring::{KeySource, Keyring};
use crate::single_flight::SingleFlight;
use crate::sync::lock;
use crate::table::create::TableCreator;
use crate::table::describe::{Description, describe};
use crate::table::scan::Scanner;
use crate::transport::dns::{Resolve, SystemResolver};
use crate::transport::http::HttpClient;
use crate::transport::{CallOptions, Trace, retry};
use crate::wire::request::{Body, Requests};
use crate::wire::response::{ItemOutcome, Response};

mod forms;
mod replace;
mod server;
mod user;
mod write;

use forms::Encryption;
pub use forms::{StoredSession, open_with};
pub use replace::ReplaceOutcome;
pub use server::Server;
pub use write::WrittenSession;

/// The ID of a session that does not exist.
const WARM_UP_ID: &str = "dynamodb-session-warm-up";

/// The result of reading a session.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// There is no item.
    Missing,
    /// The item has expired, so there is no session.
    Expired,
    /// The session.
    Session {
        /// JSON text. If something else wrote the item, it may be any text.
        session: String,
        /// The stored expiry, in seconds since 1970.
        expires: Option<f64>,
        /// The stored creation time, in seconds since 1970.
        created: Option<f64>,
        /// What stands for the stored session in a condition; see [`StoredSession`].
        token: Option<String>,
    },
}

/// A session that a Scan found.
#[derive(Debug, PartialEq, Serialize)]
pub struct ListedSession {
    /// The session ID.
    pub id: String,
    /// JSON text. If something else wrote the item, it may be any text.
    pub session: String,
    /// The stored expiry, in seconds since 1970.
    pub expires: Option<f64>,
}

/// The sessions of one DynamoDB table. Operations that compare expiries take the current time as `now`.
pub struct Store {
    config: Config,
    provider: Option<SharedCredentialsProvider>,
    requests: Requests,
    encryption: Option<Encryption>,
    environment: SharedEnvironment,
    http: Arc<HttpClient>,
    /// Set by the first operation that succeeds in reading the AWS settings.
    aws: OnceCell<AwsClients>,
    creation: SingleFlight<Option<Error>>,
    /// The last problem that did not make an operation fail.
    warning: Mutex<Option<Error>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Store {
    /// Performs no I/O: problems with the environment are reported by operations. `provider` replaces the configured
    /// credentials.
    pub fn new(config: Config, provider: Option<SharedCredentialsProvider>) -> Self {
        Self::with_resolver(config, provider, SystemResolver)
    }

    /// Gets the encryption keys from `source`, if the configuration has none.
    pub fn with_key_source(mut self, source: KeySource) -> Self {
        self.encryption = self.config.encryption.as_ref().map(|encryption| {
            let (limit, refresh_after) = (self.config.timeout, encryption.refresh_after);
            let keyring = Keyring::new(encryption.keys.clone(), Some(source), limit, refresh_after);
            Encryption::new(encryption, keyring)
        });
        self
    }

    /// A store that resolves host names with `resolver`.
    pub fn with_resolver(
        config: Config,
        provider: Option<SharedCredentialsProvider>,
        resolver: impl Resolve,
    ) -> Self {
        let environment = SharedEnvironment::default();
        let (connect_timeout, max_connections) = (config.connect_timeout, config.max_connections);
        let http = HttpClient::new(connect_timeout, max_connections, environment.clone(), resolver);
        let encryption = config.encryption.as_ref().map(|encryption| {
            let keyring =
                Keyring::new(encryption.keys.clone(), None, config.timeout, encryption.refresh_after);
            Encryption::new(encryption, keyring)
        });
        Self {
            encryption,
            requests: Requests::new(&config.table, config.layout.clone()),
            environment,
            http: Arc::new(http),
            config,
            provider,
            aws: OnceCell::new(),
            creation: SingleFlight::default(),
            warning: Mutex::default(),
        }
    }

    /// Sets the environment, which is initially empty. AWS settings that have already been read do not change.
    pub fn set_environment(&self, environment: Environment) {
        self.environment.set(environment);
    }

    /// Reads a session, with GetItem.
    pub async fn get(
        &self,
        id: &str,
        now: Seconds,
        mut options: CallOptions,
        trace: &mut Trace,
    ) -> Result<Found> {
        let options = &mut options;
        let consistent_read = self.config.consistent_read;
        match self.read(id, consistent_read == ConsistentRead::Always, now, options, trace).await? {
            Found::Missing | Found::Expired if consistent_read == ConsistentRead::OnMiss => {
                self.read(id, true, now, options, trace).await
            }
            found => Ok(found),
        }
    }

    /// Does what the first operation must do: resolves the credentials and the encryption keys, and opens a connection. Reads
    /// a session that does not exist, so that it fails if the next operation would fail.
    pub async fn warm(&self, mut options: CallOptions, trace: &mut Trace) -> Result<()> {
        if let Some(encryption) = &self.encryption {
            encryption.keyring.keys(options.deadline(self.config.timeout)).await?;
        }
        self.read_item(WARM_UP_ID, false, &mut options, trace).await.map(drop)
    }

    async fn read(
        &self,
        id: &str,
        consistent: bool,
        now: Seconds,
        options: &mut CallOptions,
        trace: &mut Trace,
    ) -> Result<Found> {
        let Some(stored) = self.read_item(id, consistent, options, trace).await? else {
            return Ok(Found::Missing);
        };
        if self.has_ended(&stored, now) {
            return Ok(Found::Expired);
        }
        let StoredItem { session, expires, created, .. } = stored;
        let problem = match self.open(id, session, options.deadline(self.config.timeout)).await? {
            Some(StoredSession { text: Ok(session), token }) => {
                return Ok(Found::Session { session, expires, created, token });
            }
            Some(StoredSession { text: Err(problem), .. }) => problem,
            None => "the item has no session attribute",
        };
        Err(Error::new(Kind::CorruptItem, problem))
    }

    /// Whether the session of an item has expired, or has reached its maximum lifetime.
    fn has_ended(&self, item: &StoredItem, now: Seconds) -> bool {
        let end = self.config.max_lifetime.and_then(|longest| Some(item.created? + longest as f64));
        expiry::is_expired(item.expires, now) || expiry::is_expired(end, now)
    }

    async fn read_item(
        &self,
        id: &str,
        consistent: bool,
        options: &mut CallOptions,
        trace: &mut Trace,
    ) -> Result<Option<StoredItem>> {
        if let Some(details) = &mut trace.details {
            details.consistent_read = Some(consistent);
        }
        match self.call("GetItem", self.requests.get(id, consistent), options, trace).await? {
            ItemOutcome::Success { item } | ItemOutcome::ConditionFailed { item } => Ok(item),
        }
    }

    /// Deletes a session, if it exists, with DeleteItem.
    pub async fn destroy(&self, id: &str, mut options: CallOptions, trace: &mut Trace) -> Result<()> {
        self.call("DeleteItem", self.requests.delete(id), &mut options, trace).await.map(drop)
    }

    /// Deletes a session if it has expired, with DeleteItem. Returns whether it had expired.
    pub async fn destroy_expired(
        &self,
        id: &str,
        now: Seconds,
        mut options: CallOptions,
        trace: &mut Trace,
    ) -> Result<bool> {
        let body = self.requests.delete_expired(id, now);
        let outcome = self.call("DeleteItem", body, &mut options, trace).await?;
        let had_expired = matches!(outcome, ItemOutcome::Success { .. });
        // If an attempt deletes the item and its response is lost, the condition of the retry fails.
        Ok(had_expired
            || trace.may_be_done && self.read(id, true, now, &mut options, trace).await? == Found::Missing)
    }

    /// Sends any other request of the DynamoDB API. Takes its JSON body, and returns the body of the response.
    pub async fn request(
        &self,
        operation: &str,
        body: String,
        options: CallOptions,
        trace: &mut Trace,
    ) -> Result<String> {
        #[cfg(feature = "panicking")]
        assert_ne!(operation, "Panic", "asked for by a test");
        let parse = |reported: Result<()>, body: &[u8]| match std::str::from_utf8(body) {
            Ok(text) => reported.map(|()| text.to_owned()),
            Err(_) => Err(Error::new(Kind::Network, "the response is not valid UTF-8")),
        };
        self.send(operation, Bytes::from(body), options, trace, parse).await
    }

    /// The IDs of the sessions that have not expired.
    pub async fn ids(&self, now: Seconds) -> Result<Vec<String>> {
        let sessions = self.list(true, now).await?;
        Ok(sessions.into_iter().map(|listed| listed.id).collect())
    }

    /// The sessions that have not expired and can be read.
    pub async fn all(&self, now: Seconds) -> Result<Vec<ListedSession>> {
        self.list(false, now).await
    }

    async fn list(&self, only_keys: bool, now: Seconds) -> Result<Vec<ListedSession>> {
        let items = self
            .with_scanner(async |scanner| {
                let mut items = Vec::new();
                scanner.for_each(only_keys, now, |item| items.push(item)).await?;
                Ok(items)
            })
            .await?;
        let mut sessions = Vec::with_capacity(items.len());
        for StoredItem { id, session, expires, .. } in items {
            // With hashed IDs, a key that another store has written is not that of a session.
            let Some(id) = id else { continue };
            let text = if only_keys {
                Some(String::new())
            } else {
                self.open(&id, session, self.deadline()).await?.and_then(|session| session.text.ok())
            };
            sessions.extend(text.map(|session| ListedSession { id, session, expires }));
        }
        Ok(sessions)
    }

    /// The number of sessions that have not expired.
    pub async fn length(&self, now: Seconds) -> Result<u64> {
        self.with_scanner(async |scanner| scanner.count(now).await).await
    }

    /// Deletes all sessions.
    pub async fn clear(&self) -> Result<()> {
        self.with_scanner(async |scanner| scanner.clear().await).await
    }

    /// Describes the table.
    pub async fn describe_table(&self) -> Result<Description> {
        describe(&self.aws(self.deadline()).await?.transport, &self.config.table).await
    }

    /// Creates the table unless it exists, and describes it.
    pub async fn create_table(&self, new: &NewTable) -> Result<Description> {
        match self.create(new).await? {
            Some(error) => Err(error),
            None => self.describe_table().await,
        }
    }

    /// The connections of the store, and what went over them.
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Closes the connections that are idle.
    pub fn close(&self) {
        self.http.close_idle();
    }

    /// Sends a request for one item. If the table is missing and `createTable` is set, creates it and sends the request
    /// again.
    async fn call(
        &self,
        operation: &'static str,
        body: Body,
        options: &mut CallOptions,
        trace: &mut Trace,
    ) -> Result<ItemOutcome> {
        let (is_conditional, layout) = (body.is_conditional, self.requests.layout());
        let body = Bytes::from(body.finish(options.wants_capacity));
        let parse = |reported, body: &[u8]| Response::parse(reported, body, is_conditional, layout);
        let response = match self.send(operation, body.clone(), *options, trace, parse).await {
            Err(error) if let Some(new) = self.table_to_create(&error) => {
                Box::pin(self.create_for_operation(new)).await?;
                // The creation may have taken longer than the time limit of the operation.
                options.restart();
                Box::pin(self.send(operation, body, *options, trace, parse)).await?
            }
            outcome => outcome?,
        };
        if let Some(units) = response.capacity_units {
            *trace.capacity_units.get_or_insert_default() += units;
        }
        Ok(response.outcome)
    }

    async fn send<T>(
        &self,
        operation: &str,
        body: Bytes,
        options: CallOptions,
        trace: &mut Trace,
        parse: impl Fn(Result<()>, &[u8]) -> Result<T>,
    ) -> Result<T> {
        let deadline = options.deadline(self.config.timeout);
        self.aws(deadline).await?.transport.call(operation, body, deadline, trace, parse).await
    }

    /// Runs an operation on the whole table. If the table is missing and `createTable` is set, creates it and runs the
    /// operation again.
    async fn with_scanner<T>(&self, operation: impl AsyncFn(&Scanner<'_>) -> Result<T>) -> Result<T> {
        let transport = &self.aws(self.deadline()).await?.transport;
        let Config { table, layout, max_lifetime, .. } = &self.config;
        let scanner = Scanner { transport, table, layout, max_lifetime: *max_lifetime };
        match operation(&scanner).await {
            Err(error) if let Some(new) = self.table_to_create(&error) => {
                self.create_for_operation(new).await?;
                operation(&scanner).await
            }
            outcome => outcome,
        }
    }

    /// Runs requests of the AWS SDK. If the service rejects the credentials, fetches new ones and runs the requests again.
    async fn retry_with_new_credentials<T>(&self, requests: impl AsyncFn() -> Result<T>) -> Result<T> {
        match requests().await {
            Err(error) if retry::rejects_credentials(&error) => {
                if self.aws(self.deadline()).await?.credentials.forget_all() {
                    requests().await
                } else {
                    Err(error.permanent())
                }
            }
            outcome => outcome,
        }
    }

    fn table_to_create(&self, error: &Error) -> Option<&NewTable> {
        self.config.create_table.as_ref().filter(|_| error.is_missing_table())
    }

    /// Takes the problem, if any, that occurred after the last call of this function and did not make an operation fail.
    pub fn take_warning(&self) -> Option<Error> {
        lock(&self.warning).take().or_else(|| self.http.take_warning())
    }

    /// Creates the table for another operation. If only enabling time to live fails, the error becomes a warning and the
    /// other operation continues, because sessions work without it.
    async fn create_for_operation(&self, new: &NewTable) -> Result<()> {
        if let Some(error) = self.create(new).await? {
            *lock(&self.warning) = Some(error);
        }
        Ok(())
    }

    async fn create(&self, new: &NewTable) -> Result<Option<Error>> {
        let creator = self.table_creator().await?;
        self.retry_with_new_credentials(async || {
            let (creator, new) = (creator.clone(), new.clone());
            self.creation.join(async move { creator.create(&new).await }).await
        })
        .await
    }

    async fn table_creator(&self) -> Result<TableCreator> {
        Ok(TableCreator {
            client: self.aws(self.deadline()).await?.client.clone(),
            name: self.config.table.clone(),
            layout: self.config.layout.clone(),
        })
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.config.timeout
    }

    async fn aws(&self, deadline: Instant) -> Result<&AwsClients> {
        if let Some(aws) = self.aws.get() {
            return Ok(aws);
        }
        // Boxed because it runs once: otherwise it would enlarge the future of every operation.
        let settling = Box::pin(self.aws.get_or_try_init(|| {
            let (provider, http) = (self.provider.clone(), Arc::clone(&self.http));
            AwsClients::from_settings(&self.config, self.environment.clone(), provider, http)
        }));
        timeout_at(deadline, settling).await.unwrap_or_else(|_| {
            let message = format!(
                "the AWS settings of the environment could not be read within {:?}",
                self.config.timeout
            );
            Err(Error::new(Kind::Timeout, message))
        })
    }
}
