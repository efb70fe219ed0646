//! Written with the room.
