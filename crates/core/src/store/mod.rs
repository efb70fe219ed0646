//! The encrypted database: one writer, many readers.
/// The encrypted database.
pub struct Store {}
impl Store { /// Closes readers, then the writer.
 pub async fn close(&self) {} }
