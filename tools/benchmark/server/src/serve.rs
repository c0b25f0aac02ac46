//! A DynamoDB that validates nothing: GetItem returns the same item for every key, and writes succeed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io, process, thread};

use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::http::{self, Incoming};
use crate::{Options, Result};

/// `--items` names a JSON file with an item for each table. `--certificate` and `--key` name PEM files for TLS.
/// `--delay` delays each response by that many milliseconds. The program ends when standard input ends.
pub async fn run(options: &Options) -> Result<()> {
    let responses = Arc::new(Responses::read(options.need("items")?)?);
    let delay = options.time("delay")?;
    let tls = options.get("certificate").map(|file| acceptor(file, options.need("key")?)).transpose()?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    println!("{scheme}://127.0.0.1:{}", listener.local_addr()?.port());
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (responses, tls) = (Arc::clone(&responses), tls.clone());
        // A client that disconnects is not an error.
        tokio::spawn(async move {
            match tls {
                Some(tls) => responses.serve(tls.accept(stream).await?, delay).await,
                None => responses.serve(stream, delay).await,
            }
        });
    }
}

fn acceptor(certificate: &str, key: &str) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<std::result::Result<_, _>>()?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    Ok(Arc::new(config).into())
}

/// Complete responses, prepared at the start.
struct Responses {
    items: HashMap<Vec<u8>, Vec<u8>>,
    updated: Vec<u8>,
    table: Vec<u8>,
    empty: Vec<u8>,
}

impl Responses {
    fn read(file: &str) -> Result<Self> {
        let tables: HashMap<String, serde_json::Value> = serde_json::from_slice(&fs::read(file)?)?;
        let items = tables.into_iter().map(|(table, item)| {
            let body = serde_json::json!({ "Item": item }).to_string();
            (table.into_bytes(), response(&body))
        });
        Ok(Self {
            items: items.collect(),
            updated: response(r#"{"Attributes":{"expires":{"N":"4102444800"}}}"#),
            table: response(r#"{"Table":{"TableStatus":"ACTIVE"}}"#),
            empty: response("{}"),
        })
    }

    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin, delay: Duration) -> Result<()> {
        let mut incoming = Incoming::default();
        while let Some((target, head)) = incoming.head(&mut stream, http::request).await? {
            let body = incoming.body(&mut stream, &head).await?;
            let response = self.to(&target, body);
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            stream.write_all(response).await?;
            stream.flush().await?;
        }
        Ok(())
    }

    fn to(&self, target: &[u8], body: &[u8]) -> &[u8] {
        match target.rsplit(|&byte| byte == b'.').next() {
            Some(b"GetItem") => table_of(body).and_then(|table| self.items.get(table)).unwrap_or(&self.empty),
            Some(b"UpdateItem") => &self.updated,
            Some(b"DescribeTable") => &self.table,
            _ => &self.empty,
        }
    }
}

fn table_of(body: &[u8]) -> Option<&[u8]> {
    const MEMBER: &[u8] = br#""TableName":""#;
    let rest = &body[memmem::find(body, MEMBER)? + MEMBER.len()..];
    Some(&rest[..memchr::memchr(b'"', rest)?])
}

fn response(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\
         x-amzn-requestid: BENCHMARK0000000000000000000000000000000000000000000\r\n\
         x-amz-crc32: {}\r\nconnection: keep-alive\r\n\r\n{body}",
        body.len(),
        crc32fast::hash(body.as_bytes()),
    )
    .into_bytes()
}
