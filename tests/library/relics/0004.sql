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
INSERT INTO "alembic_version" VALUES('0004');
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
CREATE TABLE contracts (
	dataset INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	created FLOAT NOT NULL, 
	document TEXT NOT NULL, 
	CONSTRAINT pk_contracts PRIMARY KEY (dataset, number), 
	CONSTRAINT fk_contracts_dataset FOREIGN KEY(dataset) REFERENCES datasets ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "contracts" VALUES(2,1,1.79526240607948637008e+09,'{"columns":[]}');
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
	problems TEXT NOT NULL, 
	columns TEXT NOT NULL, 
	CONSTRAINT pk_dataset_versions PRIMARY KEY ("key"), 
	CONSTRAINT uq_dataset_versions_dataset UNIQUE (dataset, number), 
	CONSTRAINT fk_dataset_versions_dataset FOREIGN KEY(dataset) REFERENCES datasets ("key") ON DELETE CASCADE
);
INSERT INTO "dataset_versions" VALUES(1,1,1,'60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f',3,7,NULL,'old.csv',NULL,1.79526240604329252238e+09,NULL,NULL,'[]','[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}]');
INSERT INTO "dataset_versions" VALUES(2,2,1,'60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f',3,7,NULL,'Pinguïns.csv',NULL,1.79526240605016279222e+09,NULL,NULL,'[{"file":"a","line":1,"column":null,"message":"m"}]','[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}]');
INSERT INTO "dataset_versions" VALUES(3,2,2,'8f95ed1ec74473334cf0560c1c4c74e740368ae16235f7168991bd5f0b4a27d9',3,1,1,'Pinguïns.csv',NULL,1.79526240605392670632e+09,'[{"step":"drop","columns":["x"]}]',NULL,'[]','[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}]');
CREATE TABLE datasets (
	"key" INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	folded TEXT NOT NULL, 
	head INTEGER NOT NULL, 
	created FLOAT NOT NULL, 
	removed FLOAT, 
	CONSTRAINT pk_datasets PRIMARY KEY ("key")
);
INSERT INTO "datasets" VALUES(1,'old','old',1,1.79526240604329252238e+09,1.79526240604872775082e+09);
INSERT INTO "datasets" VALUES(2,'Pinguïns','pinguïns',2,1.79526240605016279222e+09,NULL);
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
CREATE TABLE metric_points (
	run INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	metric TEXT NOT NULL, 
	step INTEGER NOT NULL, 
	epoch FLOAT, 
	seconds FLOAT NOT NULL, 
	value FLOAT, 
	CONSTRAINT pk_metric_points PRIMARY KEY (run, seq, metric), 
	CONSTRAINT fk_metric_points_run FOREIGN KEY(run) REFERENCES runs ("key") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "metric_points" VALUES(1,2,'train_loss',1,NULL,0.1,0.5);
INSERT INTO "metric_points" VALUES(1,3,'train_loss',2,NULL,0.2,0.25);
INSERT INTO "metric_points" VALUES(2,2,'train_loss',1,NULL,0.1,0.5);
INSERT INTO "metric_points" VALUES(2,3,'train_loss',2,NULL,0.2,0.25);
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
	spec TEXT NOT NULL, 
	CONSTRAINT pk_runs PRIMARY KEY ("key"), 
	CONSTRAINT uq_runs_id UNIQUE (id), 
	CONSTRAINT fk_runs_dataset_version FOREIGN KEY(dataset_version) REFERENCES dataset_versions ("key") ON DELETE SET NULL
);
INSERT INTO "runs" VALUES(1,'01M7YZMQD76F1Z5754VNJCBMJT','done','done','train','succeeded',NULL,'','','local','Pinguïns@2',3,'tabular_classification','class','linear','Pinguïns-class',5,1.79526240605795478827e+09,1001.0,1005.0,'',NULL,'{"c":2.0}','{"task":"tabular_classification","metrics":{"accuracy":0.9},"seconds":2.0,"model":"60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f","estimator":"linear","parameters":{"c":2.0}}',NULL,'{"format":1,"id":"01M7YZMQD76F1Z5754VNJCBMJT","kind":"train","name":"done","inputs":["0000000000000000000000000000000000000000000000000000000000000000"],"payload":{"dataset":"0000000000000000000000000000000000000000000000000000000000000000","dataset_name":"Pingu\u00efns@2","columns":[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}],"target":"class","task":null,"features":null,"estimator":"linear","parameters":{"c":1.0},"split":{"method":"random","test_size":0.2,"validation_size":0.15,"seed":0,"membership":null},"seed":0,"model":""},"resources":{"device":"auto","threads":0},"limits":{"seconds":0.0,"memory":0}}');
INSERT INTO "runs" VALUES(2,'01M7YZMQDBDCG7AYEETA9WBK8H','stopped','stopped','train','interrupted','killed_external','It was killed.','Resume it.','local','Pinguïns@2',3,NULL,'class','linear','Pinguïns-class',4,1.79526240606015157702e+09,1001.0,1004.0,'',NULL,'{"c":1.0}',NULL,NULL,'{"format":1,"id":"01M7YZMQDBDCG7AYEETA9WBK8H","kind":"train","name":"stopped","inputs":["0000000000000000000000000000000000000000000000000000000000000000"],"payload":{"dataset":"0000000000000000000000000000000000000000000000000000000000000000","dataset_name":"Pingu\u00efns@2","columns":[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}],"target":"class","task":null,"features":null,"estimator":"linear","parameters":{"c":1.0},"split":{"method":"random","test_size":0.2,"validation_size":0.15,"seed":0,"membership":null},"seed":0,"model":""},"resources":{"device":"auto","threads":0},"limits":{"seconds":0.0,"memory":0}}');
INSERT INTO "runs" VALUES(3,'01M7YZMQDTRXJRMGR2S5N3M4MK','moved','moved','train','interrupted','killed_external','','','gpu','Pinguïns@2',3,NULL,'class','linear','Pinguïns-class',2,1.79526240607500195498e+09,1001.0,1002.0,'',NULL,'{"c":1.0}',NULL,'{"from":"local","checkpoint":"60046fb1cf10e898a6ee734e247f4426cc09d2b52ec44867769107ee973a3c5f"}','{"format":1,"id":"01M7YZMQDTRXJRMGR2S5N3M4MK","kind":"train","name":"moved","inputs":["0000000000000000000000000000000000000000000000000000000000000000"],"payload":{"dataset":"0000000000000000000000000000000000000000000000000000000000000000","dataset_name":"Pingu\u00efns@2","columns":[{"name":"Gr\u00f6\u00dfe","type":"number","missing":1,"distinct":2},{"name":"class","type":"text","missing":0,"distinct":2}],"target":"class","task":null,"features":null,"estimator":"linear","parameters":{"c":1.0},"split":{"method":"random","test_size":0.2,"validation_size":0.15,"seed":0,"membership":null},"seed":0,"model":""},"resources":{"device":"auto","threads":0},"limits":{"seconds":0.0,"memory":0}}');
CREATE TABLE settings (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_settings PRIMARY KEY ("key")
);
INSERT INTO "settings" VALUES('theme','"dark"');
CREATE UNIQUE INDEX uq_datasets_folded ON datasets (folded) WHERE removed IS NULL;
CREATE INDEX ix_runs_folded ON runs (folded);
CREATE INDEX ix_runs_state ON runs (state, id);
CREATE INDEX ix_runs_dataset_version ON runs (dataset_version);
CREATE INDEX ix_model_versions_dataset_version ON model_versions (dataset_version);
COMMIT;
