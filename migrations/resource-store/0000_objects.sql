CREATE TABLE `log` (
	`resource_version` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`type` text NOT NULL,
	`key` text NOT NULL,
	`previous_version` integer,
	`uid` text,
	`labels` text,
	`fields` text,
	`owners` text,
	`text` text
);
--> statement-breakpoint
CREATE TABLE `objects` (
	`key` text PRIMARY KEY NOT NULL,
	`resource_version` integer NOT NULL,
	`uid` text NOT NULL,
	`labels` text,
	`fields` text,
	`owners` text,
	`text` text NOT NULL
) WITHOUT ROWID;
