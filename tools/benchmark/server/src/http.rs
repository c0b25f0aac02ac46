//! The HTTP that the server and the load generator use: messages with a `Content-Length` on kept connections.

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::Result;

const MOST_HEADERS: usize = 40;

/// Bytes that were received and not yet consumed.
#[derive(Default)]
pub struct Incoming {
    bytes: Vec<u8>,
    used: usize,
}

/// The lengths of a message.
pub struct Head {
    pub length: usize,
    pub body: usize,
}

impl Incoming {
    /// The next head that `parse` recognizes, or `None` at the end of the connection.
    pub async fn head<T>(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        parse: impl Fn(&[u8]) -> Result<Option<(T, Head)>>,
    ) -> Result<Option<(T, Head)>> {
        self.bytes.drain(..self.used);
        self.used = 0;
        loop {
            if !self.bytes.is_empty()
                && let Some((parsed, head)) = parse(&self.bytes)?
            {
                self.used = head.length + head.body;
                return Ok(Some((parsed, head)));
            }
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The body that belongs to the last head.
    pub async fn body(&mut self, stream: &mut (impl AsyncRead + Unpin), head: &Head) -> Result<&[u8]> {
        while self.bytes.len() < self.used {
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return Err("the connection ended early".into());
            }
        }
        Ok(&self.bytes[head.length..self.used])
    }
}

/// The value of `x-amz-target` in a request.
pub fn request(bytes: &[u8]) -> Result<Option<(Vec<u8>, Head)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = request.parse(bytes)? else { return Ok(None) };
    let target = find(request.headers, "x-amz-target").unwrap_or_default().to_vec();
    Ok(Some((target, Head { length, body: content_length(request.headers)? })))
}

/// The status and the cookies of a response.
pub fn response(bytes: &[u8]) -> Result<Option<((u16, String), Head)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes)? else { return Ok(None) };
    let cookies: Vec<_> = response
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("set-cookie"))
        .map(|header| {
            String::from_utf8_lossy(header.value.split(|&byte| byte == b';').next().unwrap_or_default())
        })
        .collect();
    let parsed = (response.code.unwrap_or_default(), cookies.join("; "));
    Ok(Some((parsed, Head { length, body: content_length(response.headers)? })))
}

fn content_length(headers: &[httparse::Header<'_>]) -> Result<usize> {
    match find(headers, "content-length") {
        Some(value) => Ok(std::str::from_utf8(value)?.trim().parse()?),
        None => Ok(0),
    }
}

fn find<'h>(headers: &[httparse::Header<'h>], name: &str) -> Option<&'h [u8]> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}
