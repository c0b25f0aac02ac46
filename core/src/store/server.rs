//! The server of a store.

use super::Store;

/// The server that requests go to.
#[derive(Debug, PartialEq)]
pub struct Server<'s> {
    /// The AWS Region.
    pub region: &'s str,
    /// The host name, or the IP address.
    pub address: String,
    /// The port.
    pub port: u16,
}

impl Store {
    /// The Region and the URL that requests go to, after the first operation has determined them.
    pub fn region_and_endpoint(&self) -> Option<(&str, String)> {
        self.aws.get().and_then(|aws| Some((&*aws.region, aws.transport.url()?)))
    }

    /// The server that requests go to, after the first operation has determined it.
    pub fn server(&self) -> Option<Server<'_>> {
        let aws = self.aws.get()?;
        let (address, port) = aws.transport.host_and_port()?;
        Some(Server { region: &aws.region, address, port })
    }
}
