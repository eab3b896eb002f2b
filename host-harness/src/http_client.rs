//! HTTP/1.1 over a plain socket, for the simulator's control routes on this machine and nothing else.
//!
//! The connector has a real HTTP client; the host must not borrow it, and needs no TLS, no redirects and no reuse of
//! connections. Bodies are streams, because the truth of a large tenant is one.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long the simulator may be silent.
const PATIENCE: Duration = Duration::from_secs(120);

/// A body, as it comes.
#[derive(Debug)]
pub(crate) struct Body {
    stream: BufReader<TcpStream>,
    /// What is left: of the body, or of the current chunk.
    left: u64,
    chunked: bool,
}

/// Sends one request to `authority` (`127.0.0.1:8400`) and answers its body. A status other than 2xx is an error.
pub(crate) fn send(authority: &str, method: &str, path: &str, body: &str) -> Result<Body> {
    let about = || format!("{method} {path}");
    let mut socket =
        TcpStream::connect(authority).with_context(|| format!("cannot reach the simulator at {authority}"))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    // In one piece: a server that answers early must not find half a request behind its answer.
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).with_context(about)?;
    let mut stream = BufReader::with_capacity(64 * 1024, socket);
    let status = line(&mut stream).with_context(about)?;
    let code: u16 = status
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .with_context(|| format!("{}: {status}", about()))?;
    let mut answer = Body { stream, left: 0, chunked: false };
    loop {
        let header = line(&mut answer.stream).with_context(about)?;
        let Some((name, value)) = header.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => answer.left = value.trim().parse().with_context(about)?,
            "transfer-encoding" => answer.chunked = value.trim().eq_ignore_ascii_case("chunked"),
            _ => {}
        }
    }
    if !(200..300).contains(&code) {
        let mut text = String::new();
        answer.read_to_string(&mut text).with_context(about)?;
        bail!("{}: {code} {text}", about());
    }
    Ok(answer)
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

impl Body {
    /// Moves on to the next chunk when the current one is used up.
    fn advance(&mut self) -> io::Result<()> {
        let size = line(&mut self.stream)?;
        let size = size.split(';').next().unwrap_or_default();
        self.left = u64::from_str_radix(size.trim(), 16).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(())
    }
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && self.chunked {
            self.advance()?;
            if self.left == 0 {
                self.chunked = false;
            }
        }
        let most = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let read = self.stream.read(&mut into[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        if self.left == 0 && self.chunked {
            // The line end after a chunk.
            line(&mut self.stream)?;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Serves one answer, byte for byte, and answers what was asked.
    fn ask(answer: &'static str) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let _ = socket.read(&mut asked).unwrap();
            socket.write_all(answer.as_bytes()).unwrap();
        });
        let mut text = String::new();
        let body = send(&authority, "GET", "/x", "");
        server.join().unwrap();
        body?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn body_of_known_length_is_read_to_its_end() {
        assert_eq!(ask("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more").unwrap(), "hello");
    }

    #[test]
    fn chunks_are_put_together() {
        assert_eq!(
            ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n world\r\n0\r\n\r\n")
                .unwrap(),
            "hello world"
        );
    }

    #[test]
    fn refusal_carries_its_text() {
        let error = ask("HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\n\r\nnope").unwrap_err();
        assert_eq!(error.to_string(), "GET /x: 400 nope");
    }

    #[test]
    fn body_that_breaks_off_is_an_error() {
        assert!(ask("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello").is_err());
    }
}
