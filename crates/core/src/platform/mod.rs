//! Meta's Graph API.
use crate::Parts;
/// Meta's Graph API.
pub struct GraphClient {}
impl GraphClient { /// From the profile's parts.
 pub fn new(_parts: &Parts) -> Self { Self {} } }
