//! What one exchange hands to its connection.

use std::io;

use hyper::Response;

use super::body::Payload;
use super::ending::Ending;

/// What becomes of a request.
pub(super) struct Outcome {
    pub(super) response: io::Result<Response<Payload>>,
    pub(super) ending: Option<Ending>,
}
