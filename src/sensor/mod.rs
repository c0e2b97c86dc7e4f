//! The sensor process: one receiver, captured and looked at; and how the room side keeps it alive.
