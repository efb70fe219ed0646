//! Connected accounts, their tokens and states.
use crate::Parts;
/// Connected accounts, their tokens and states.
pub struct Accounts {}
impl Accounts { /// From the profile's parts.
 pub fn new(_parts: &Parts) -> Self { Self {} } }
