//! A client of one request a connection, in plain sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::simulator::{Simulator, World};

/// A signed-in client.
pub(super) struct Client {
    pub(super) simulator: Simulator,
    pub(super) token: String,
    /// How long to wait for bytes.
    pub(super) patience: Duration,
}

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) text: String,
    pub(super) body: Value,
}

impl Reply {
    pub(super) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(super) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(known, value)| known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned()))
    }

    pub(super) fn rows(&self) -> &[Value] {
        self.body["value"].as_array().map_or(&[], Vec::as_slice)
    }

    pub(super) fn next_link(&self) -> Option<&str> {
        self.body["@odata.nextLink"].as_str()
    }

    pub(super) fn delta_link(&self) -> Option<&str> {
        self.body["@odata.deltaLink"].as_str()
    }
}

impl Client {
    pub(super) fn start(world: World) -> Result<Client> {
        let simulator = Simulator::start(world)?;
        let reply = sign_in(&simulator, &simulator.tenant_id(), &form(&simulator, &simulator.client_secret()))?;
        ensure!(reply.status == 200, "signing in: {}", reply.text);
        let token = reply.body["access_token"].as_str().unwrap_or_default().to_owned();
        Ok(Client { simulator, token, patience: PATIENCE })
    }

    pub(super) fn get(&self, url: &str) -> Result<Reply> {
        self.get_with(url, &[])
    }

    /// `url` is a link of Graph or a path below `/v1.0`.
    pub(super) fn get_with(&self, url: &str, headers: &[(&str, &str)]) -> Result<Reply> {
        let origin = self.simulator.origin();
        let target = match url.strip_prefix(&origin) {
            Some(path) => path.to_owned(),
            None => format!("/v1.0{url}"),
        };
        self.send("GET", &target, headers, "")
    }

    pub(super) fn eventually(&self, url: &str) -> Result<Reply> {
        self.get_with(url, &[("ConsistencyLevel", "eventual")])
    }

    pub(super) fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Result<Reply> {
        let authorization = format!("Bearer {}", self.token);
        let mut all = vec![("Authorization", authorization.as_str())];
        all.extend(headers);
        send_within(self.patience, &self.simulator.origin(), method, target, &all, body)
    }

    /// Every row of a list, through all its pages.
    pub(super) fn all(&self, url: &str, headers: &[(&str, &str)]) -> Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut next = Some(url.to_owned());
        while let Some(url) = next {
            let reply = self.get_with(&url, headers)?;
            ensure!(reply.status == 200, "{url}: {}", reply.text);
            rows.extend(reply.rows().iter().cloned());
            next = reply.next_link().map(str::to_owned);
        }
        Ok(rows)
    }
}

pub(super) fn form(simulator: &Simulator, secret: &str) -> String {
    let secret: String = secret.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
    format!(
        "grant_type=client_credentials&client_id={}&client_secret={secret}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
        simulator.client_id()
    )
}

pub(super) fn sign_in(simulator: &Simulator, tenant: &str, form: &str) -> Result<Reply> {
    let target = format!("/{tenant}/oauth2/v2.0/token");
    send(&simulator.origin(), "POST", &target, &[("Content-Type", "application/x-www-form-urlencoded")], form)
}

pub(super) fn send(origin: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Result<Reply> {
    send_within(PATIENCE, origin, method, target, headers, body)
}

fn send_within(
    patience: Duration,
    origin: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Reply> {
    let address = origin.split("://").nth(1).context("an origin")?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(patience))?;
    let headers: String = headers.iter().fold(String::new(), |all, (name, value)| all + name + ": " + value + "\r\n");
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").context("no end of headers")?;
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let body = &bytes[split + 4..];
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
    ensure!(length.is_none_or(|length| length == body.len()), "the body ended early");
    let text = String::from_utf8_lossy(body).into_owned();
    Ok(Reply { status, head, body: serde_json::from_str(&text).unwrap_or(Value::Null), text })
}
