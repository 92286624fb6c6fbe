return await Mavi.AllInOne.Demo.RunAsync(args);
