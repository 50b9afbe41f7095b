CREATE TABLE `cursors` (
	`store` text PRIMARY KEY NOT NULL,
	`resource_version` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `owned` (
	`kind` text NOT NULL,
	`resource` text NOT NULL,
	PRIMARY KEY(`kind`, `resource`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `queue` (
	`controller` text NOT NULL,
	`key` text NOT NULL,
	`not_before` integer NOT NULL,
	`attempts` integer NOT NULL,
	PRIMARY KEY(`controller`, `key`)
) WITHOUT ROWID;
