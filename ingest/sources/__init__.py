"""Where Looks come from: HTTP snapshots, RTSP streams, video files, picture folders."""
