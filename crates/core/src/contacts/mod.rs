//! People and their profiles.
use crate::Parts;
/// People and their profiles.
pub struct Contacts {}
impl Contacts { /// From the profile's parts.
 pub fn new(_parts: &Parts) -> Self { Self {} } }
