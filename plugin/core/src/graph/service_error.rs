//! Error bodies of Graph and of the token service, read without trusting them.
//!
//! Graph spells `innerError` also `innererror`, nests it, leaves `code` empty, and gateways before it answer HTML or
//! nothing at all (`concepts/errors.md`, and everything seen in public issues). A body that cannot be read is no second
//! failure: what could be read is there, the rest is `None`.

use serde_json::Value;

use super::failure::drop_repeating;
use super::query::printable;
use super::request_id;

/// Text of a message kept at most.
const MESSAGE: usize = 1000;

/// Entra's own secrets have forty characters; this leaves room for others.
const SHORTEST_SECRET: usize = 8;

/// Bodies beyond this are no error messages.
const READ: usize = 64 << 10;

/// What a service said about a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ServiceError {
    /// `error.code`, the innermost code where that is empty, or `AADSTS…`.
    pub(crate) code: Option<String>,
    /// For people; cut, one line.
    pub(crate) message: Option<String>,
    /// `request-id` of the inner error, or the token service's trace id.
    pub(crate) request_id: Option<String>,
    /// The number behind `AADSTS`.
    pub(crate) aadsts: Option<u32>,
    /// Every code from the outermost to the innermost.
    codes: Vec<String>,
}

impl ServiceError {
    /// Reads a body of any kind.
    pub(crate) fn read(body: &[u8]) -> ServiceError {
        let value = serde_json::from_slice(&body[..body.len().min(READ)]).unwrap_or(Value::Null);
        // In a `$batch` a body that was not JSON outside comes as a string.
        let value = match value {
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
            other => other,
        };
        match &value["error"] {
            Value::String(error) => ServiceError::of_token_service(error, &value),
            error @ Value::Object(_) => ServiceError::of_graph(error),
            _ => ServiceError { message: Some(shape(body).to_owned()), ..ServiceError::default() },
        }
    }

    /// Whether one of the codes, inner ones included, is that one; case does not count.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.codes.iter().any(|one| one.eq_ignore_ascii_case(code))
    }

    /// Whether one of the codes starts so; case does not count.
    pub(crate) fn has_code_starting(&self, start: &str) -> bool {
        self.codes.iter().any(|one| one.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)))
    }

    /// Whether one of the codes, or the message, holds this lower-case text.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.codes.iter().chain(&self.message).any(|one| one.to_ascii_lowercase().contains(text))
    }

    /// Takes a secret out, wherever a service repeats it. A text so short that it stands in other words by chance is no
    /// secret Entra ever issued. Long ones may have been cut short, so their beginning is enough to be found.
    pub(crate) fn hide(&mut self, secret: &str) {
        hide_in(self.code.iter_mut().chain(&mut self.message).chain(&mut self.codes), secret);
        drop_repeating(&mut self.request_id, secret);
    }

    /// `{"error":{"code","message","innerError":{"request-id",…}}}`.
    fn of_graph(error: &Value) -> ServiceError {
        let mut read = ServiceError { message: text(&error["message"], MESSAGE), ..ServiceError::default() };
        let mut level = Some(error);
        while let Some(inner) = level {
            read.codes.extend(text(&inner["code"], 100));
            read.request_id = read.request_id.or_else(|| id(&inner["request-id"]));
            read.message = read.message.or_else(|| text(&inner["message"], MESSAGE));
            level = inner.as_object().and_then(|members| {
                members.iter().find(|(name, _)| name.eq_ignore_ascii_case("innererror")).map(|(_, value)| value)
            });
        }
        read.code = read.codes.first().cloned();
        read
    }

    /// `{"error":"invalid_client","error_description":"AADSTS7000215: …","error_codes":[7000215],"trace_id":…}`
    /// (RFC 6749 §5.2 and Microsoft's additions).
    fn of_token_service(error: &str, body: &Value) -> ServiceError {
        let description = text(&body["error_description"], MESSAGE).unwrap_or_default();
        let named = description.strip_prefix("AADSTS").map(|rest| {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            &rest[..digits]
        });
        let aadsts = body["error_codes"][0]
            .as_u64()
            .and_then(|code| u32::try_from(code).ok())
            .or_else(|| named.and_then(|digits| digits.parse().ok()));
        // Ids and time follow the words, on lines of their own in older answers.
        let words = description.find("Trace ID:").map_or(&*description, |at| &description[..at]).trim();
        let code = aadsts.map_or_else(|| printable(error, 100), |code| format!("AADSTS{code}"));
        ServiceError {
            codes: vec![code.clone(), printable(error, 100)],
            code: Some(code),
            message: (!words.is_empty()).then(|| words.to_owned()),
            request_id: id(&body["trace_id"]),
            aadsts,
        }
    }
}

/// As [`ServiceError::hide`], in any texts.
pub(crate) fn hide_in<'a>(texts: impl IntoIterator<Item = &'a mut String>, secret: &str) {
    let Some(end) = (SHORTEST_SECRET..=secret.len()).find(|at| secret.is_char_boundary(*at)) else { return };
    let start = &secret[..end];
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    for text in texts {
        *text = without(text, secret, start);
        *text = without(text, &encoded, encoded.get(..SHORTEST_SECRET).unwrap_or(start));
    }
}

/// The text with `[secret]` for each occurrence of a secret, or of the part of it that is there.
fn without(text: &str, secret: &str, start: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, found)) = rest.find(start).map(|at| rest.split_at(at)) {
        let common = found.chars().zip(secret.chars()).take_while(|(here, there)| here == there);
        let length: usize = common.map(|(here, _)| here.len_utf8()).sum();
        clean.push_str(before);
        clean.push_str("[secret]");
        rest = &found[length..];
    }
    clean + rest
}

/// A text in the form of an id.
fn id(value: &Value) -> Option<String> {
    value.as_str().and_then(request_id::accepted).map(str::to_owned)
}

/// A non-empty text, or a number as text.
fn text(value: &Value, max: usize) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(printable(text.trim(), max)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What stands there instead of an error object.
fn shape(body: &[u8]) -> &'static str {
    let start = body.trim_ascii_start();
    if start.is_empty() {
        "an empty answer"
    } else if start.starts_with(b"<") {
        "an HTML page instead of JSON"
    } else {
        "an answer without an error object"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> ServiceError {
        ServiceError::read(body.as_bytes())
    }

    #[test]
    fn graphs_own_shape() {
        let error = read(
            r#"{"error":{"code":"Request_ResourceNotFound","message":"Resource 'x' does not exist.",
                "innerError":{"date":"2025-02-13T10:17:05","request-id":"r1","client-request-id":"c1"}}}"#,
        );
        assert_eq!(error.code.as_deref(), Some("Request_ResourceNotFound"));
        assert_eq!(error.message.as_deref(), Some("Resource 'x' does not exist."));
        assert_eq!(error.request_id.as_deref(), Some("r1"));
    }

    #[test]
    fn inner_errors_are_found_however_they_are_spelt_and_nested() {
        let error = read(
            r#"{"error":{"code":"","message":"","innererror":{"code":"outer","request-id":"r2","innerError":
                {"code":"resyncRequired","message":"m","request-id":"r3"}}}}"#,
        );
        assert_eq!(error.code.as_deref(), Some("outer"));
        assert_eq!(error.message.as_deref(), Some("m"));
        assert_eq!(error.request_id.as_deref(), Some("r2"));
        assert!(error.has_code("RESYNCrequired") && error.has_code_starting("resync"));
    }

    #[test]
    fn the_body_of_a_throttled_answer() {
        let error = read(
            r#"{"error":{"code":"TooManyRequests","innerError":{"code":"429","date":"2020-08-18T12:51:51",
                "message":"Please retry after","request-id":"94fb","status":"429"},"message":"Please retry again later."}}"#,
        );
        assert_eq!(error.code.as_deref(), Some("TooManyRequests"));
        assert_eq!(error.message.as_deref(), Some("Please retry again later."));
        assert_eq!(error.request_id.as_deref(), Some("94fb"));
    }

    #[test]
    fn the_token_services_shape() {
        let error = read(
            "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret provided.\\r\\nTrace ID: t\\r\\nCorrelation ID: c\",\
             \"error_codes\":[7000215],\"trace_id\":\"t1\"}",
        );
        assert_eq!(error.code.as_deref(), Some("AADSTS7000215"));
        assert_eq!(error.aadsts, Some(7_000_215));
        assert_eq!(error.message.as_deref(), Some("AADSTS7000215: Invalid client secret provided."));
        assert_eq!(error.request_id.as_deref(), Some("t1"));
        assert!(error.has_code("invalid_client"));
    }

    #[test]
    fn the_number_is_also_found_in_the_description_alone() {
        let error = read(r#"{"error":"invalid_request","error_description":"AADSTS90002: Tenant 'x' not found."}"#);
        assert_eq!(error.aadsts, Some(90002));
        let error = read(r#"{"error":"temporarily_unavailable"}"#);
        assert_eq!((error.code.as_deref(), error.aadsts), (Some("temporarily_unavailable"), None));
    }

    #[test]
    fn no_body_is_a_second_failure() {
        for (body, says) in [
            ("", "empty"),
            ("  \n", "empty"),
            ("<html><body>502 Bad Gateway</body></html>", "HTML"),
            ("{\"error\":", "without"),
            ("null", "without"),
            ("[]", "without"),
            ("{\"error\":[1]}", "without"),
            ("\"aGVsbG8=\"", "without"),
            ("\u{feff}{}", "without"),
        ] {
            let error = read(body);
            assert!(error.code.is_none() && error.message.unwrap().contains(says), "{body}");
        }
        assert_eq!(read(r#"{"error":{}}"#), ServiceError::default());
        assert_eq!(read(r#"{"error":{"code":7,"message":{"a":1},"innerError":[]}}"#).code.as_deref(), Some("7"));
        assert!(ServiceError::read(b"\xff\xfe").code.is_none());
    }

    #[test]
    fn a_json_error_inside_a_string_is_read_too() {
        assert_eq!(read(r#""{\"error\":{\"code\":\"TooManyRequests\"}}""#).code.as_deref(), Some("TooManyRequests"));
    }

    #[test]
    fn secret_whose_eighth_byte_lies_inside_a_character_is_taken_out() {
        for secret in ["1234567é-and-more", "äöüßäöüß", "12345678", "日本語の秘密の言葉"] {
            let mut texts = [format!("not {secret}!"), format!("cut {}", secret.chars().take(8).collect::<String>())];
            hide_in(&mut texts, secret);
            assert_eq!(texts, ["not [secret]!", "cut [secret]"], "{secret}");
        }
    }

    #[test]
    fn a_secret_is_taken_out_as_it_is_encoded_and_cut_short() {
        let secret = "[secret] ~+/=0123456789abcdef";
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for shown in [secret, &encoded, &secret[..20], &format!("{secret}{secret}")] {
            let mut error = read(&format!(r#"{{"error":{{"code":"x {shown}","message":"what is {shown}"}}}}"#));
            error.hide(secret);
            let seen = format!("{error:?}");
            assert!(!seen.contains("~+/=") && !seen.contains("%7E") && seen.contains("what is [secret]"), "{seen}");
        }
        let mut error = read(r#"{"error":{"code":"x","message":"abc"}}"#);
        error.hide("abc");
        assert_eq!(error.message.as_deref(), Some("abc"));
    }

    #[test]
    fn a_message_is_one_line_of_bounded_length() {
        let message =
            read(&format!(r#"{{"error":{{"code":"x","message":"a\r\nb{}"}}}}"#, "y".repeat(5000))).message.unwrap();
        assert!(message.starts_with("a  b") && message.chars().count() == MESSAGE + 1);
    }
}
