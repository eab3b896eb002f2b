//! The bytes of the users feed, page by page, as the connector gets them: the same `$select`, from the same simulator.
//!
//! HTTP/1.0, because its answers come in one piece and end with the connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::tenant::Tenant;

/// Every page of `/users/delta`.
pub(crate) fn pages(tenant: &Tenant, attributes: &[&str]) -> Result<Vec<Vec<u8>>> {
    let origin = tenant.said("origin");
    let token = token(tenant)?;
    let mut link = format!("{origin}/v1.0/users/delta?$select=id,{}", attributes.join(","));
    let mut pages = Vec::new();
    loop {
        let host = authority(tenant)?;
        let path = link.strip_prefix(origin).context("a link leads elsewhere")?;
        let page =
            ask(tenant, &format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"))?;
        let next = serde_json::from_slice::<Links>(&page)?.next;
        pages.push(page);
        match next {
            Some(next) => link = next,
            None => return Ok(pages),
        }
    }
}

#[derive(Deserialize)]
struct Links {
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

fn token(tenant: &Tenant) -> Result<String> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", tenant.said("clientId"))
        .append_pair("client_secret", tenant.said("clientSecret"))
        .append_pair("scope", &format!("{}/.default", tenant.said("origin")))
        .finish();
    let answer = ask(
        tenant,
        &format!(
            "POST /{}/oauth2/v2.0/token HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            tenant.said("tenantId"),
            form.len()
        ),
    )?;
    Ok(serde_json::from_slice::<Token>(&answer)?.access_token)
}

fn authority(tenant: &Tenant) -> Result<&str> {
    tenant.said("origin").strip_prefix("http://").context("only plain HTTP is asked here")
}

fn ask(tenant: &Tenant, request: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(authority(tenant)?)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no end of the headers")?;
    let status = String::from_utf8_lossy(&answer[..end]).lines().next().unwrap_or_default().to_owned();
    let body = answer.split_off(end + 4);
    ensure!(status.contains(" 200 "), "{status}: {}", String::from_utf8_lossy(&body));
    Ok(body)
}
