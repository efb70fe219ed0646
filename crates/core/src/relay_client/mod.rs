//! The relay, as the app sees it.
use crate::Parts;
/// The relay, as the app sees it.
pub struct RelayClient {}
impl RelayClient { /// From the profile's parts.
 pub fn new(_parts: &Parts) -> Self { Self {} } }
