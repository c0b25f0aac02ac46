//! Opens a TCP connection to a host that may have several addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Uri;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::dns::{Addresses, Dns};
use super::endpoint::port_of;
use crate::error::BoxError;

/// The time before the next address is tried in parallel (RFC 8305, section 5).
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// A TCP connection, and the lookup that led to it.
pub(super) struct Dialed {
    pub stream: TcpStream,
    /// The host name and its addresses, if DNS returned them.
    resolved: Option<(String, Vec<IpAddr>)>,
}

impl Dialed {
    /// Returns the stream, and a closure to call once the connection has proved to work.
    pub(super) fn into_parts(self, dns: &Dns) -> (TcpStream, impl FnOnce() + '_) {
        let confirm = move || {
            if let Some((host, addresses)) = self.resolved {
                dns.remember(&host, addresses);
            }
        };
        (self.stream, confirm)
    }
}

/// Connects to the host and port of `uri`. `limit` is the time that the caller allows and enforces; this function divides
/// it among the addresses.
pub(super) async fn dial(uri: &Uri, dns: &Dns, limit: Duration) -> Result<Dialed, BoxError> {
    let host = uri.host().ok_or("the URL has no host")?.trim_matches(['[', ']']);
    let port = port_of(uri);
    if let Ok(address) = host.parse() {
        return Ok(Dialed { stream: race(&[address], port, limit).await?, resolved: None });
    }
    let (addresses, lookup) = match dns.addresses(host, limit / 3).await? {
        Addresses::Resolved(addresses) => (addresses, None),
        Addresses::Remembered(addresses, lookup) => (addresses, Some(lookup)),
    };
    match (race(&addresses, port, limit).await, lookup) {
        (Ok(stream), None) => Ok(Dialed { stream, resolved: Some((host.to_owned(), addresses)) }),
        (Ok(stream), Some(_)) => Ok(Dialed { stream, resolved: None }),
        (Err(error), None) => Err(error.into()),
        // The host may have moved.
        (Err(_), Some(lookup)) => {
            let addresses = lookup.await?;
            let stream = race(&addresses, port, limit).await?;
            Ok(Dialed { stream, resolved: Some((host.to_owned(), addresses)) })
        }
    }
}

/// Connects to the first address that accepts. Each address gets a head start over the next one, but no more than its
/// share of `limit`.
async fn race(addresses: &[IpAddr], port: u16, limit: Duration) -> io::Result<TcpStream> {
    let shares = u32::try_from(addresses.len()).unwrap_or(u32::MAX).saturating_add(1);
    let pause = LONGEST_PAUSE.min(limit / shares);
    let mut waiting = alternated(addresses).into_iter();
    let mut connecting = FuturesUnordered::new();
    let mut last_error = None;
    loop {
        connecting.extend(waiting.next().map(|address| connect(SocketAddr::new(address, port))));
        tokio::select! {
            outcome = connecting.next() => match outcome {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) => last_error = Some(error),
                None => return Err(last_error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())),
            },
            () = sleep(pause), if waiting.len() > 0 => {}
        }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    let stream = TcpStream::connect(address).await.map_err(named)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Alternates between the address families, starting with that of the first address (RFC 8305, section 4).
fn alternated(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let is_first_family = |address: &&IpAddr| address.is_ipv4() == addresses[0].is_ipv4();
    let (mut first, mut second) = {
        let (first, second): (Vec<&IpAddr>, Vec<&IpAddr>) = addresses.iter().partition(is_first_family);
        (first.into_iter(), second.into_iter())
    };
    let mut alternated = Vec::with_capacity(addresses.len());
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return alternated;
        }
        alternated.extend(pair.into_iter().flatten());
    }
}
