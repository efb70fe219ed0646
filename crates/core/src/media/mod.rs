//! Pictures and files behind opaque ids.
use crate::Parts;
/// Pictures and files behind opaque ids.
pub struct Media {}
impl Media { /// From the profile's parts.
 pub fn new(_parts: &Parts) -> Self { Self {} } }
