//! The command line of the verbs about meetings, alerts and calendars, as typed.

use super::args::{TEMPLATE, level};
use crate::policy::Level;
use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Which room, and how it is told.
#[derive(Debug, Args)]
pub struct WhichRoom {
    /// Where the room listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7430", global = true)]
    pub room: SocketAddr,
    /// JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,
}

/// `emcon meeting`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon meeting start --title Budget --level secret --minutes 90\n  \
        emcon meeting extend 30\n  \
        emcon meeting check\n  \
        emcon meeting participants --set people.json",
    after_help = "Exit status: 0 done, for check: go; 3 check: no-go; 69 the room refuses or does not answer;\n\
        2 usage, 65 or 66 a file that cannot be read."
)]
pub struct MeetingArgs {
    /// What to do.
    #[command(subcommand)]
    pub act: MeetingAct,
    /// The room.
    #[command(flatten)]
    pub which: WhichRoom,
}

/// What to do with a meeting.
#[derive(Debug, Subcommand)]
pub enum MeetingAct {
    /// Meetings on record, newest first, and what the calendar has next
    List {
        /// As many at most
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Begin a meeting
    Start {
        /// What it is called
        #[arg(long, default_value = "")]
        title: String,
        /// What it bans
        #[arg(long, value_parser = level(), default_value = "confidential")]
        level: Level,
        /// It ends by itself after so many [default: when somebody ends it]
        #[arg(long)]
        minutes: Option<u32>,
    },
    /// End the meeting
    End,
    /// Give the meeting more time
    Extend {
        /// So many
        minutes: u32,
    },
    /// Whether the room is quiet: waits for go or no-go
    Check,
    /// Who takes part in the meeting
    Participants {
        /// Put these in place of those before: a JSON array of {"name","unit","position","device_deposited"}
        #[arg(long, value_name = "FILE")]
        set: Option<PathBuf>,
    },
}

/// `emcon alerts`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon alerts list\n  \
        emcon alerts show a1-6560f3c1\n  \
        emcon alerts ack a1-6560f3c1 --by Officer --note \"taken outside\"",
    after_help = "Exit status: 0 done; 66 no such alert; 69 the room refuses or does not answer; 2 usage."
)]
pub struct AlertsArgs {
    /// What to do.
    #[command(subcommand)]
    pub act: AlertsAct,
    /// The room.
    #[command(flatten)]
    pub which: WhichRoom,
}

/// What to do with alerts.
#[derive(Debug, Subcommand)]
pub enum AlertsAct {
    /// Alerts on record, newest first
    List {
        /// Only those that wait for somebody
        #[arg(long)]
        open: bool,
        /// Only those of this meeting
        #[arg(long, value_name = "ID")]
        meeting: Option<String>,
        /// As many at most
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// One alert, with its reasons
    Show {
        /// Its id
        id: String,
    },
    /// Acknowledge an alert: its latch ends
    Ack {
        /// Its id
        id: String,
        /// Who acknowledges
        #[arg(long, default_value = "")]
        by: String,
        /// What was done
        #[arg(long, default_value = "")]
        note: String,
    },
}

/// `emcon calendar`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon calendar check room.ics\n  \
        emcon calendar check https://calendar.example/room.ics --secret-file /etc/emcon/calendar.secret",
    after_help = "Exit status: 0 read without a fault; 6 read, with faults; 65 it is no calendar; 66 it cannot be had;\n\
        2 usage."
)]
pub struct CalendarArgs {
    /// What to do.
    #[command(subcommand)]
    pub act: CalendarAct,
}

/// What to do with a calendar.
#[derive(Debug, Subcommand)]
pub enum CalendarAct {
    /// The confidential meetings of a calendar around now, and what is wrong with it
    Check(CalendarCheckArgs),
}

/// `emcon calendar check`.
#[derive(Debug, Args)]
pub struct CalendarCheckArgs {
    /// iCalendar file, or its address (http, https, webcal)
    #[arg(value_name = "FILE|URL")]
    pub place: String,
    /// Holds user:password, or bearer TOKEN
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Zone of times that have none [default: the calendar's, else this machine's]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// CLASS of what is confidential
    #[arg(long, value_name = "CLASS", value_delimiter = ',', default_value = "CONFIDENTIAL,PRIVATE")]
    pub class: Vec<String>,
    /// Category of what is confidential
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    pub category: Vec<String>,
    /// Word in title or description of what is confidential
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    pub keyword: Vec<String>,
    /// As if it were then, as 2026-03-29T01:00:00Z
    #[arg(long, value_name = "TIME")]
    pub now: Option<jiff::Timestamp>,
    /// JSON on standard output
    #[arg(long)]
    pub json: bool,
}
