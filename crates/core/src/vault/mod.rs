//! Keys and secrets.
use crate::Parts;
/// Where keys live.
#[derive(Clone)]
pub enum Keychain { /// The operating system's.
 Os, /// None on this computer.
 Missing }
/// An open vault.
pub struct Vault {}
impl Vault { #[allow(dead_code)] fn _n(_: &Parts) {} }
