BEGIN TRANSACTION;
CREATE TABLE accepted_files (
	dataset INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	rows INTEGER NOT NULL, 
	CONSTRAINT pk_accepted_files PRIMARY KEY (dataset, digest, version), 
	CONSTRAINT fk_accepted_files_dataset FOREIGN KEY(dataset) REFERENCES datasets ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "accepted_files" VALUES(2,'60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f',2,'a.csv',3);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0013');
CREATE TABLE artifacts (
	run INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	size INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	CONSTRAINT pk_artifacts PRIMARY KEY (run, name), 
	CONSTRAINT fk_artifacts_run FOREIGN KEY(run) REFERENCES runs ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "artifacts" VALUES(1,'model','60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f',7,'manifest');
CREATE TABLE checked_files (
	dataset INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	batch INTEGER NOT NULL, 
	time FLOAT NOT NULL, 
	contract INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	status TEXT NOT NULL, 
	rows INTEGER NOT NULL, 
	bad_rows INTEGER NOT NULL, 
	version INTEGER, 
	aside TEXT NOT NULL, 
	decided FLOAT, 
	who TEXT NOT NULL, 
	why TEXT NOT NULL, 
	findings TEXT NOT NULL, 
	CONSTRAINT pk_checked_files PRIMARY KEY (dataset, number), 
	CONSTRAINT fk_checked_files_dataset FOREIGN KEY(dataset) REFERENCES datasets ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "checked_files" VALUES(2,1,1,1.79591708325600910188e+09,1,'b.csv','60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f','rejected',3,1,2,'',1.79591708326544475552e+09,'Ada','It is fine.','[{"rule":"type"}]');
CREATE TABLE contracts (
	dataset INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	created FLOAT NOT NULL, 
	document TEXT NOT NULL, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_contracts PRIMARY KEY (dataset, number), 
	CONSTRAINT fk_contracts_dataset FOREIGN KEY(dataset) REFERENCES datasets ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "contracts" VALUES(2,1,1.79591708325015854833e+09,'{"columns":[]}',1);
CREATE TABLE dataset_versions (
	"key" INTEGER NOT NULL, 
	dataset INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	manifest TEXT NOT NULL, 
	rows INTEGER NOT NULL, 
	size INTEGER NOT NULL, 
	parent INTEGER, 
	source TEXT NOT NULL, 
	profile TEXT, 
	created FLOAT NOT NULL, 
	recipe TEXT, 
	reading TEXT, 
	purged FLOAT, 
	problems TEXT NOT NULL, 
	columns TEXT NOT NULL, 
	CONSTRAINT pk_dataset_versions PRIMARY KEY ("key"), 
	CONSTRAINT uq_dataset_versions_dataset UNIQUE (dataset, number), 
	CONSTRAINT fk_dataset_versions_dataset FOREIGN KEY(dataset) REFERENCES datasets ("key") ON DELETE CASCADE
);
INSERT INTO "dataset_versions" VALUES(1,1,1,'60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f',3,7,NULL,'old.csv',NULL,1.79591708308526754383e+09,NULL,NULL,NULL,'[]','[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}]');
INSERT INTO "dataset_versions" VALUES(2,2,1,'60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f',3,7,NULL,'Pinguïns.csv',NULL,1.79591708311317706106e+09,NULL,NULL,NULL,'[{"file":"a","line":1,"column":null,"message":"m"}]','[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}]');
INSERT INTO "dataset_versions" VALUES(3,2,2,'8f95ed1ec74473334cf0560c1c4c74e740368ae16235f7168991bd5f0b4a27d9',3,1,1,'Pinguïns.csv',NULL,1.79591708315794253356e+09,'[{"step":"drop","columns":["x"]}]',NULL,NULL,'[]','[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}]');
CREATE TABLE dataset_words (
	dataset INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	note TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	CONSTRAINT pk_dataset_words PRIMARY KEY (dataset, number), 
	CONSTRAINT fk_dataset_words_dataset FOREIGN KEY(dataset) REFERENCES datasets ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "dataset_words" VALUES(2,2,'Without the measurement.','["clean","f\u00fcr Ada"]');
CREATE TABLE datasets (
	"key" INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	folded TEXT NOT NULL, 
	head INTEGER NOT NULL, 
	created FLOAT NOT NULL, 
	removed FLOAT, 
	CONSTRAINT pk_datasets PRIMARY KEY ("key")
);
INSERT INTO "datasets" VALUES(1,'old','old',1,1.79591708308526754383e+09,1.79591708309757614129e+09);
INSERT INTO "datasets" VALUES(2,'Pinguïns','pinguïns',2,1.79591708311317706106e+09,NULL);
CREATE TABLE event_blocks (
	"key" INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	first INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	CONSTRAINT pk_event_blocks PRIMARY KEY ("key"), 
	CONSTRAINT uq_event_blocks_run UNIQUE (run, first), 
	CONSTRAINT fk_event_blocks_run FOREIGN KEY(run) REFERENCES runs ("key") ON DELETE CASCADE
);
INSERT INTO "event_blocks" VALUES(1,5,1,102,X'01789CE3666460888E8E56CA4D2D29CA4C2E56D289564A0112D14AC525A9054A3A4A994AB140A1D482FCE40C905C99924E5E694E4E2C48B03835393F2F05A845290DACA82C31A73415C98492A2C4CCBCF89CFC62A81230D0313430D0512A4C49510299116D08E21BEA01858A4B128B4A52813AAB95124B4A52730B4A94AC0C75940A3253C074467E31504009E808A594D4B2CCE4542027B9A014C82D4A2D2ECD4D4D894F2BCACF55B202B9AE1668B2A181918E219000199D9957925A54545A00353E39B1B418A43D3B332707A82FB502289B9798A3540B741E1323ED01C3281805A360140C11101091905150D1D03161C682151B761C3871E1C683171F7E30B070F0088848C828A868E8189858D838B878F8048444C424A464E4149454D434B474F44C983263CE82252BD66CD8B263CF812327CE5CB872E3CE83272FDE7CF8F2E30FAAFE7EAC60028560220A70A003A043F5315A7F8C82210B66CD329EC5609C36EB2CC32CE3B36910E2ECAC34637422ED2C501D1104D8283462E64CE39940D6CC330C338DCFA4418833338186A211696780EA8820C046A111A3760C2E3B769EBC7CF3C1E3672FDF7CF8F8F9CBB71F3F7FFFF9C7C0C0C8C4CCC2C2CAC6CEC1C1C9C5CDC3C3CBC72F20202028282424242C2C2222222A2A2626262E2E21212129292525252D2D2323232B2B2727272FAF00028A20A00402CA20A0628F09A85E7F0C74FE1C05C3133CA003C0923FA80E00CF7B6611');
CREATE TABLE events (
	run INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	time FLOAT NOT NULL, 
	kind TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (run, seq), 
	CONSTRAINT fk_events_run FOREIGN KEY(run) REFERENCES runs ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "events" VALUES(1,1,1001.0,'started','{"attempt":1,"pid":1,"host":"h","device":"cpu","resumed_from":null}');
INSERT INTO "events" VALUES(1,2,1002.0,'metrics','{"step":1,"epoch":null,"seconds":0.1,"values":{"train_loss":0.5}}');
INSERT INTO "events" VALUES(1,3,1003.0,'metrics','{"step":2,"epoch":null,"seconds":0.2,"values":{"train_loss":0.25}}');
INSERT INTO "events" VALUES(1,4,1004.0,'artifact','{"name":"model","digest":"60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f","size":7,"type":"manifest"}');
INSERT INTO "events" VALUES(1,5,1005.0,'succeeded','{"result":{"task":"tabular_classification","metrics":{"accuracy":0.9},"seconds":2.0,"model":"60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f","estimator":"linear","parameters":{"c":2.0}}}');
INSERT INTO "events" VALUES(2,1,1001.0,'started','{"attempt":1,"pid":1,"host":"h","device":"cpu","resumed_from":null}');
INSERT INTO "events" VALUES(2,2,1002.0,'metrics','{"step":1,"epoch":null,"seconds":0.1,"values":{"train_loss":0.5}}');
INSERT INTO "events" VALUES(2,3,1003.0,'metrics','{"step":2,"epoch":null,"seconds":0.2,"values":{"train_loss":0.25}}');
INSERT INTO "events" VALUES(2,4,1004.0,'interrupted','{"cause":"killed_external","message":"It was killed.","hint":"Resume it."}');
INSERT INTO "events" VALUES(3,1,1001.0,'started','{"attempt":1,"pid":1,"host":"h","device":"cpu","resumed_from":null}');
INSERT INTO "events" VALUES(3,2,1002.0,'interrupted','{"cause":"killed_external"}');
CREATE TABLE model_versions (
	"key" INTEGER NOT NULL, 
	model INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	manifest TEXT NOT NULL, 
	run INTEGER, 
	dataset TEXT NOT NULL, 
	dataset_version INTEGER, 
	task TEXT NOT NULL, 
	target TEXT NOT NULL, 
	estimator TEXT NOT NULL, 
	size INTEGER NOT NULL, 
	created FLOAT NOT NULL, 
	notes TEXT NOT NULL, 
	metrics TEXT NOT NULL, 
	CONSTRAINT pk_model_versions PRIMARY KEY ("key"), 
	CONSTRAINT uq_model_versions_model UNIQUE (model, number), 
	CONSTRAINT fk_model_versions_model FOREIGN KEY(model) REFERENCES models ("key") ON DELETE CASCADE, 
	CONSTRAINT uq_model_versions_run UNIQUE (run), 
	CONSTRAINT fk_model_versions_run FOREIGN KEY(run) REFERENCES runs ("key") ON DELETE SET NULL, 
	CONSTRAINT fk_model_versions_dataset_version FOREIGN KEY(dataset_version) REFERENCES dataset_versions ("key") ON DELETE SET NULL
);
INSERT INTO "model_versions" VALUES(1,1,1,'60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f',1,'Pinguïns@2',3,'tabular_classification','class','linear',7,1005.0,'','{"accuracy":0.9}');
CREATE TABLE model_words (
	version INTEGER NOT NULL, 
	stage TEXT NOT NULL, 
	card TEXT, 
	tags TEXT DEFAULT '[]' NOT NULL, 
	threshold TEXT, 
	CONSTRAINT pk_model_words PRIMARY KEY (version), 
	CONSTRAINT fk_model_words_version FOREIGN KEY(version) REFERENCES model_versions ("key") ON DELETE CASCADE
);
INSERT INTO "model_words" VALUES(1,'','# Mine','["small","\u00fcnique"]','{"at":0.3}');
CREATE TABLE models (
	"key" INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	folded TEXT NOT NULL, 
	promoted INTEGER, 
	created FLOAT NOT NULL, 
	CONSTRAINT pk_models PRIMARY KEY ("key"), 
	CONSTRAINT uq_models_folded UNIQUE (folded)
);
INSERT INTO "models" VALUES(1,'Pinguïns-class','pinguïns-class',1,1005.0);
CREATE TABLE predictions (
	"key" INTEGER NOT NULL, 
	time FLOAT NOT NULL, 
	model TEXT NOT NULL, 
	version INTEGER, 
	manifest TEXT NOT NULL, 
	source TEXT NOT NULL, 
	source_digest TEXT NOT NULL, 
	output TEXT NOT NULL, 
	output_digest TEXT NOT NULL, 
	rows INTEGER NOT NULL, 
	left_out INTEGER NOT NULL, 
	options TEXT NOT NULL, 
	CONSTRAINT pk_predictions PRIMARY KEY ("key"), 
	CONSTRAINT fk_predictions_version FOREIGN KEY(version) REFERENCES model_versions ("key") ON DELETE SET NULL
);
INSERT INTO "predictions" VALUES(1,1.79591708331768107418e+09,'Pinguïns-class@1',1,'60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f','in.csv','60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f','out.csv','60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f',3,1,'{"level":0.9}');
CREATE TABLE runners (
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	address TEXT NOT NULL, 
	seen FLOAT, 
	facts TEXT NOT NULL, 
	added FLOAT, 
	unreachable FLOAT, 
	trouble TEXT DEFAULT '' NOT NULL, 
	options TEXT DEFAULT '{}' NOT NULL, 
	CONSTRAINT pk_runners PRIMARY KEY (name)
);
INSERT INTO "runners" VALUES('local','local','',5.0,'{"cores":2}',NULL,NULL,'','{}');
INSERT INTO "runners" VALUES('gpu','ssh','me@box',NULL,'{}',6.0,7.0,'It is off.','{"processor_only":false}');
CREATE TABLE runs (
	"key" INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	folded TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	state TEXT NOT NULL, 
	cause TEXT, 
	message TEXT NOT NULL, 
	hint TEXT NOT NULL, 
	runner TEXT NOT NULL, 
	dataset TEXT NOT NULL, 
	dataset_version INTEGER, 
	task TEXT, 
	target TEXT NOT NULL, 
	estimator TEXT NOT NULL, 
	model_name TEXT NOT NULL, 
	last_seq INTEGER NOT NULL, 
	created FLOAT NOT NULL, 
	started FLOAT, 
	finished FLOAT, 
	stage TEXT NOT NULL, 
	progress TEXT, 
	parameters TEXT NOT NULL, 
	result TEXT, 
	handover TEXT, 
	note TEXT DEFAULT '' NOT NULL, 
	collection TEXT DEFAULT '' NOT NULL, 
	tags TEXT DEFAULT '[]' NOT NULL, 
	split TEXT, 
	priority INTEGER DEFAULT 0 NOT NULL, 
	not_before FLOAT, 
	spec TEXT NOT NULL, 
	CONSTRAINT pk_runs PRIMARY KEY ("key"), 
	CONSTRAINT uq_runs_id UNIQUE (id), 
	CONSTRAINT fk_runs_dataset_version FOREIGN KEY(dataset_version) REFERENCES dataset_versions ("key") ON DELETE SET NULL
);
INSERT INTO "runs" VALUES(1,'01M8JFZWH1STXEV5ET0B5QW2AN','done','done','train','succeeded',NULL,'','','local','Pinguïns@2',3,'tabular_classification','class','linear','Pinguïns-class',5,1.79591708317167758936e+09,1001.0,1005.0,'',NULL,'{"c":2.0}','{"task":"tabular_classification","metrics":{"accuracy":0.9},"seconds":2.0,"model":"60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f","estimator":"linear","parameters":{"c":2.0}}',NULL,'','','[]',NULL,0,NULL,'{"format":1,"id":"01M8JFZWH1STXEV5ET0B5QW2AN","kind":"train","name":"done","inputs":["0000000000000000000000000000000000000000000000000000000000000000"],"payload":{"dataset":"0000000000000000000000000000000000000000000000000000000000000000","dataset_name":"Pingu\u00efns@2","columns":[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}],"target":"class","task":null,"features":null,"estimator":"linear","parameters":{"c":1.0},"split":{"method":"random","test_size":0.2,"validation_size":0.15,"seed":0,"membership":null},"seed":0,"model":""},"resources":{"device":"auto","threads":0},"limits":{"seconds":0.0,"memory":0}}');
INSERT INTO "runs" VALUES(2,'01M8JFZWHDFGJCETW1EZ2KPSMT','stopped','stopped','train','interrupted','killed_external','It was killed.','Resume it.','local','Pinguïns@2',3,NULL,'class','linear','Pinguïns-class',4,1.79591708318201112746e+09,1001.0,1004.0,'',NULL,'{"c":1.0}',NULL,NULL,'','','[]',NULL,0,NULL,'{"format":1,"id":"01M8JFZWHDFGJCETW1EZ2KPSMT","kind":"train","name":"stopped","inputs":["0000000000000000000000000000000000000000000000000000000000000000"],"payload":{"dataset":"0000000000000000000000000000000000000000000000000000000000000000","dataset_name":"Pingu\u00efns@2","columns":[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}],"target":"class","task":null,"features":null,"estimator":"linear","parameters":{"c":1.0},"split":{"method":"random","test_size":0.2,"validation_size":0.15,"seed":0,"membership":null},"seed":0,"model":""},"resources":{"device":"auto","threads":0},"limits":{"seconds":0.0,"memory":0}}');
INSERT INTO "runs" VALUES(3,'01M8JFZWJV6M0KNKVCE35A8EXT','moved','moved','train','interrupted','killed_external','','','gpu','Pinguïns@2',3,NULL,'class','linear','Pinguïns-class',2,1.79591708322859048849e+09,1001.0,1002.0,'',NULL,'{"c":1.0}',NULL,'{"from":"local","checkpoint":"60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f"}','','','[]',NULL,0,NULL,'{"format":1,"id":"01M8JFZWJV6M0KNKVCE35A8EXT","kind":"train","name":"moved","inputs":["0000000000000000000000000000000000000000000000000000000000000000"],"payload":{"dataset":"0000000000000000000000000000000000000000000000000000000000000000","dataset_name":"Pingu\u00efns@2","columns":[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}],"target":"class","task":null,"features":null,"estimator":"linear","parameters":{"c":1.0},"split":{"method":"random","test_size":0.2,"validation_size":0.15,"seed":0,"membership":null},"seed":0,"model":""},"resources":{"device":"auto","threads":0},"limits":{"seconds":0.0,"memory":0}}');
INSERT INTO "runs" VALUES(4,'01M8JFZWK552BX1EHXHK5B0K6N','urgent','urgent','train','created',NULL,'','','local','Pinguïns@2',3,NULL,'class','linear','Pinguïns-class',0,1.79591708323782157895e+09,NULL,NULL,'',NULL,'{"c":1.0}',NULL,NULL,'','','[]',NULL,7,4000000000.0,'{"format":1,"id":"01M8JFZWK552BX1EHXHK5B0K6N","kind":"train","name":"urgent","inputs":["0000000000000000000000000000000000000000000000000000000000000000"],"payload":{"dataset":"0000000000000000000000000000000000000000000000000000000000000000","dataset_name":"Pingu\u00efns@2","columns":[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}],"target":"class","task":null,"features":null,"estimator":"linear","parameters":{"c":1.0},"split":{"method":"random","test_size":0.2,"validation_size":0.15,"seed":0,"membership":null},"seed":0,"model":""},"resources":{"device":"auto","threads":0},"limits":{"seconds":0.0,"memory":0},"not_before":4000000000.0}');
INSERT INTO "runs" VALUES(5,'01M8JFZWM5JZDJG65W9XRTZ4QN','long','long','train','interrupted','killed_external','','','local','Pinguïns@2',3,NULL,'class','linear','Pinguïns-class',102,1.79591708326983118051e+09,1001.0,1102.0,'',NULL,'{"c":1.0}',NULL,NULL,'A note.','first tries','["slow", "ünique"]',NULL,0,NULL,'{"format":1,"id":"01M8JFZWM5JZDJG65W9XRTZ4QN","kind":"train","name":"long","inputs":["0000000000000000000000000000000000000000000000000000000000000000"],"payload":{"dataset":"0000000000000000000000000000000000000000000000000000000000000000","dataset_name":"Pingu\u00efns@2","columns":[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}],"target":"class","task":null,"features":null,"estimator":"linear","parameters":{"c":1.0},"split":{"method":"random","test_size":0.2,"validation_size":0.15,"seed":0,"membership":null},"seed":0,"model":""},"resources":{"device":"auto","threads":0},"limits":{"seconds":0.0,"memory":0}}');
CREATE TABLE settings (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_settings PRIMARY KEY ("key")
);
INSERT INTO "settings" VALUES('theme','"dark"');
CREATE TABLE stage_changes (
	"key" INTEGER NOT NULL, 
	model INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	time FLOAT NOT NULL, 
	"before" TEXT NOT NULL, 
	"after" TEXT NOT NULL, 
	note TEXT NOT NULL, 
	CONSTRAINT pk_stage_changes PRIMARY KEY ("key"), 
	CONSTRAINT fk_stage_changes_model FOREIGN KEY(model) REFERENCES models ("key") ON DELETE CASCADE
);
INSERT INTO "stage_changes" VALUES(1,1,1,1.79591708329066157339e+09,'','candidate','');
INSERT INTO "stage_changes" VALUES(2,1,1,1795917083.29764,'candidate','promoted','It is better.');
CREATE UNIQUE INDEX uq_datasets_folded ON datasets (folded) WHERE removed IS NULL;
CREATE INDEX ix_stage_changes_model ON stage_changes (model);
CREATE INDEX ix_runs_state ON runs (state, id);
CREATE INDEX ix_runs_split ON runs (split, dataset_version);
CREATE INDEX ix_runs_folded ON runs (folded);
CREATE INDEX ix_runs_dataset_version ON runs (dataset_version);
CREATE INDEX ix_model_versions_dataset_version ON model_versions (dataset_version);
CREATE INDEX ix_predictions_version ON predictions (version);
COMMIT;
